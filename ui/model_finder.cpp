#include "ui/model_finder.h"

#include <QDir>
#include <QFileInfo>
#include <algorithm>
#include <utility>

namespace fw::ui {
namespace {

QString nameOf(const QString& folder) {
    return QFileInfo(QDir::cleanPath(folder)).fileName();
}

// How well `model` fits, 0: not at all.
int fit(const app::ModelSummary& model, const QString& wanted) {
    if (wanted.isEmpty()) {
        return model.embedded ? 2 : 0;
    }
    if (QDir::cleanPath(model.folder) == QDir::cleanPath(wanted)) {
        return 2;
    }
    return nameOf(model.folder) == nameOf(wanted) ? 1 : 0;
}

}  // namespace

ModelFinder::ModelFinder(app::EngineLink& engine, QObject* parent) : QObject(parent), m_engine(engine) {
    connect(&engine, &app::EngineLink::modelsFound, this, &ModelFinder::choose);
}

void ModelFinder::find(const QString& folder, const QStringList& places) {
    m_wanted = folder;
    m_engine.findModels(folder.isEmpty() ? places : QStringList{folder} + places);
}

void ModelFinder::choose(const QList<app::ModelSummary>& models) {
    if (!m_wanted) {
        return;
    }
    const QString wanted = *std::exchange(m_wanted, std::nullopt);
    // One that runs goes before one that fits better and does not.
    const auto rank = [&](const app::ModelSummary& model) {
        const int fits = fit(model, wanted);
        return fits > 0 && model.problems.isEmpty() ? fits + 2 : fits;
    };
    const auto best = std::max_element(models.begin(), models.end(),
                                       [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    if (best != models.end() && rank(*best) > 2) {
        emit found(*best);
    } else {
        emit missing(nameOf(wanted), best != models.end() && rank(*best) > 0 ? best->problems.first() : QString());
    }
}

}  // namespace fw::ui
