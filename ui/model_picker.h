// The models on this machine: what each one is, and why one cannot be used.
#pragma once

#include <QFrame>
#include <QList>
#include <QString>
#include <QStringList>

#include "app/library/engine_link.h"

class QLabel;
class QListWidget;
class QPushButton;

namespace fw::ui {

// A popover. Closes with Esc or a click beside it.
class ModelPicker : public QFrame {
    Q_OBJECT

 public:
    explicit ModelPicker(QWidget* parent = nullptr);

    // `engine` outlives the picker; null: nothing is listed.
    void setEngine(app::EngineLink* engine);
    // Folders that hold models, or folders of such folders.
    void setFolders(const QStringList& folders);
    [[nodiscard]] QStringList folders() const { return m_folders; }
    // The folder of the model in use; empty: the embedded one.
    void setCurrent(const QString& folder) { m_current = folder; }
    void openBelow(QWidget* anchor);
    void showModels(const QList<app::ModelSummary>& models);

    [[nodiscard]] QListWidget* list() const { return m_list; }

 signals:
    void chosen(const QString& folder);
    void foldersChanged(const QStringList& folders);

 protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

 private:
    void find();
    void showDetails();
    void chooseCurrent();
    void addFolder();

    app::EngineLink* m_engine = nullptr;
    QStringList m_folders;
    QString m_current;
    QList<app::ModelSummary> m_models;

    QListWidget* m_list;
    QLabel* m_details;
    QLabel* m_problem;
    QPushButton* m_use;
};

}  // namespace fw::ui
