#include "ui/model_picker.h"

#include <QDir>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QListWidget>
#include <QLocale>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/controls.h"
#include "ui/error_presenter.h"
#include "ui/formats.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kHeight = 420;

// "1.3 billion", "27.9 million".
QString parametersText(qint64 count) {
    const QLocale locale;
    const auto value = static_cast<double>(count);
    return count >= 1'000'000'000
               ? ModelPicker::tr("%1 billion parameters").arg(locale.toString(value / 1e9, 'f', 1))
               : ModelPicker::tr("%1 million parameters").arg(locale.toString(value / 1e6, 'f', 1));
}

}  // namespace

ModelPicker::ModelPicker(QWidget* parent) : QFrame(parent, Qt::Popup) {
    setObjectName(QStringLiteral("popover"));
    setFixedSize(kPanelWidth - 2 * kGrid, kHeight);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(2 * kGrid, 2 * kGrid, 2 * kGrid, 2 * kGrid);
    column->setSpacing(kGrid);
    column->addWidget(makeLabel(tr("Models"), TextRole::Heading));
    m_list = new QListWidget;
    m_list->setAccessibleName(tr("Models"));
    m_list->setToolTip(tr("Models found on this machine"));
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->installEventFilter(this);
    column->addWidget(m_list, 1);
    m_details = makeLabel(QString(), TextRole::Caption, true);
    m_details->setTextFormat(Qt::PlainText);
    m_details->setTextInteractionFlags(Qt::TextSelectableByMouse);
    column->addWidget(m_details);
    m_problem = makeLabel(QString(), TextRole::Caption, true);
    m_problem->setTextFormat(Qt::PlainText);
    m_problem->setProperty("tone", QStringLiteral("danger"));
    column->addWidget(m_problem);
    auto* row = new QHBoxLayout;
    auto* add = makeButton(tr("Add folder…"));
    add->setToolTip(tr("Look for models in another folder as well"));
    m_use = makeButton(tr("Use"), QStringLiteral("primary"));
    m_use->setToolTip(tr("Make clips with this model (Enter)"));
    row->addWidget(add);
    row->addStretch(1);
    row->addWidget(m_use);
    column->addLayout(row);
    connect(m_list, &QListWidget::currentRowChanged, this, &ModelPicker::showDetails);
    connect(m_list, &QListWidget::itemDoubleClicked, this, &ModelPicker::chooseCurrent);
    connect(m_use, &QPushButton::clicked, this, &ModelPicker::chooseCurrent);
    connect(add, &QPushButton::clicked, this, &ModelPicker::addFolder);
    showDetails();
}

void ModelPicker::setEngine(app::EngineLink* engine) {
    if (m_engine != nullptr) {
        disconnect(m_engine, nullptr, this, nullptr);
    }
    m_engine = engine;
    if (m_engine != nullptr) {
        connect(m_engine, &app::EngineLink::modelsFound, this, &ModelPicker::showModels);
    }
}

void ModelPicker::setFolders(const QStringList& folders) {
    m_folders = folders;
    m_folders.removeDuplicates();
}

void ModelPicker::find() {
    if (m_engine != nullptr) {
        m_engine->findModels(m_folders);
    }
}

void ModelPicker::openBelow(QWidget* anchor) {
    move(anchor->mapToGlobal(QPoint(anchor->width() - width(), anchor->height() + kGrid / 2)));
    find();
    show();
    m_list->setFocus();
}

void ModelPicker::showModels(const QList<app::ModelSummary>& models) {
    m_models = models;
    m_list->clear();
    int current = models.isEmpty() ? -1 : 0;
    for (const auto& model : models) {
        const QString name = model.embedded ? tr("%1 (built in)").arg(model.name) : model.name;
        m_list->addItem(model.problems.isEmpty() ? name : tr("%1 (cannot be used)").arg(name));
        if (model.folder == m_current || (m_current.isEmpty() && model.embedded)) {
            current = m_list->count() - 1;
        }
    }
    m_list->setCurrentRow(current);
    showDetails();
}

void ModelPicker::showDetails() {
    const auto model = m_models.value(m_list->currentRow());
    const bool some = m_list->currentRow() >= 0;
    const auto& d = model.defaults;
    m_details->setText(
        some ? tr("%1, %2 on disk\nPrefers %3 × %4 pixels, %5 frames at %6 per second, %7 steps\n%8")
                   .arg(parametersText(model.parameters), bytesText(model.bytes))
                   .arg(d.width)
                   .arg(d.height)
                   .arg(d.frames)
                   .arg(QLocale().toString(static_cast<double>(d.frameRate.numerator) /
                                               static_cast<double>(std::max<qint64>(1, d.frameRate.denominator)),
                                           'g', 4))
                   .arg(d.steps)
                   .arg(QDir::toNativeSeparators(model.folder))
             : tr("Looking for models…"));
    QStringList problems;
    for (const QString& problem : model.problems) {
        problems.append(asSentence(problem.toStdString()));
    }
    m_problem->setText(problems.join(QLatin1Char('\n')));
    m_problem->setHidden(problems.isEmpty());
    m_use->setEnabled(some && problems.isEmpty());
}

void ModelPicker::chooseCurrent() {
    if (!m_use->isEnabled()) {
        return;
    }
    const auto model = m_models.value(m_list->currentRow());
    m_current = model.embedded ? QString() : model.folder;
    hide();
    emit chosen(m_current);
}

void ModelPicker::addFolder() {
    hide();  // a popover would close under the dialog anyway
    const QString folder = QFileDialog::getExistingDirectory(window()->parentWidget(), tr("Folder with models"),
                                                             m_folders.value(m_folders.size() - 1));
    if (!folder.isEmpty()) {
        setFolders(m_folders + QStringList{folder});
        emit foldersChanged(m_folders);
        find();
    }
    show();
}

bool ModelPicker::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress) {
        const int key = dynamic_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Return || key == Qt::Key_Enter) {
            chooseCurrent();
            return true;
        }
    }
    return QFrame::eventFilter(watched, event);
}

}  // namespace fw::ui
