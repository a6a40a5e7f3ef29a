// The model that made a clip, on this machine.
#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <optional>

#include "app/library/engine_link.h"

namespace fw::ui {

class ModelFinder : public QObject {
    Q_OBJECT

 public:
    // `engine` outlives the finder.
    explicit ModelFinder(app::EngineLink& engine, QObject* parent = nullptr);

    // Looks at `folder` itself (empty: the embedded model), then for a model of the folder's name in `places`: the
    // clip may come from another machine. Answers found() or missing(); a newer call swallows an older one.
    void find(const QString& folder, const QStringList& places);
    // The last call is answered no more.
    void forget() { m_wanted.reset(); }

 signals:
    void found(const fw::app::ModelSummary& model);
    // There is no model `name`, or none that can be used: then `problem` says why.
    void missing(const QString& name, const QString& problem);

 private:
    void choose(const QList<app::ModelSummary>& models);

    app::EngineLink& m_engine;
    std::optional<QString> m_wanted;
};

}  // namespace fw::ui
