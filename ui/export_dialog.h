// Saves one or several clips in another format, size or rate.
#pragma once

#include <QDialog>
#include <QHash>
#include <QList>
#include <QString>

#include "app/clips/clip_files.h"

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QGridLayout;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QSlider;
class QSpinBox;

namespace fw::ui {

class ExportDialog : public QDialog {
    Q_OBJECT

 public:
    // `files`: absolute paths of clips, at least one; folders of pictures count as clips. `clips` outlives the
    // dialog. Format, folder and quality are remembered in QSettings from one time to the next.
    ExportDialog(app::ClipFiles& clips, const QList<QString>& files, QWidget* parent = nullptr);
    ~ExportDialog() override;

    // What the form says, for the first clip.
    [[nodiscard]] app::ExportOptions options() const;
    // Where each clip would be written, in their order.
    [[nodiscard]] QStringList targets() const;
    [[nodiscard]] bool running() const { return !m_running.isEmpty(); }

 public slots:
    void reject() override;  // cancels a running export first

 signals:
    // Everything was written. Paths in the order of the clips.
    void finishedExport(const QStringList& files);

 protected:
    void keyPressEvent(QKeyEvent* event) override;

 private:
    struct Running {
        int clip = 0;
        double fraction = 0.0;
    };

    void buildForm(QGridLayout* grid);
    void buildTarget(QGridLayout* grid);
    QWidget* buildFooter();
    void addRow(QGridLayout* grid, const QString& label, QWidget* control);
    void restore();
    void remember() const;
    void onInspected(const app::ClipFacts& facts);
    void onInspectFailed(const QString& file, const Error& error);
    void onExported(quint64 id, const QString& to);
    void onExportFailed(quint64 id, const QString& to, const Error& error);
    void onFormatChanged();
    void refresh();
    void chooseFolder();
    void start();
    void cancelExport();
    void showProgress();
    void showResult();
    void setFormEnabled(bool enabled);
    [[nodiscard]] app::ExportFormatInfo format() const;
    [[nodiscard]] bool canCopy() const;
    [[nodiscard]] QString problem() const;
    [[nodiscard]] QString preview() const;
    [[nodiscard]] QString nameFor(const QString& file) const;

    app::ClipFiles& m_clips;
    QList<app::ExportFormatInfo> m_formats;
    QStringList m_files;
    QHash<QString, app::ClipFacts> m_facts;
    QStringList m_unreadable;  // one sentence each
    QHash<quint64, Running> m_running;
    QStringList m_written, m_failures;
    int m_total = 0;
    bool m_nameTouched = false;

    QLabel* m_about;
    QWidget* m_form;
    QComboBox* m_format;
    QLabel* m_explanation;
    QCheckBox* m_copy;
    QWidget* m_qualityRow;
    QLabel* m_qualityLabel;
    QSlider* m_quality;
    QLabel* m_qualityValue;
    QSpinBox* m_scale;
    QLabel* m_size;
    QDoubleSpinBox* m_rate;
    QLabel* m_loopsLabel;
    QSpinBox* m_loops;
    QWidget* m_range;
    QLabel* m_rangeLabel;
    QSpinBox* m_first;
    QSpinBox* m_last;
    QCheckBox* m_settings;
    QLabel* m_nameLabel;
    QLineEdit* m_name;
    QLineEdit* m_folder;
    QLabel* m_preview;
    QLabel* m_message;
    QProgressBar* m_progress;
    QPushButton* m_show;
    QPushButton* m_cancel;
    QPushButton* m_export;
};

}  // namespace fw::ui
