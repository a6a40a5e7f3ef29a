// The attention inspector: a run's trace, looked at in several ways that share one selection. Controls are Qt's;
// the views are drawn with Dear ImGui.
#pragma once

#include <QThreadPool>
#include <QWidget>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/clips/clip_files.h"
#include "core/job/parameter_schema.h"
#include "ui/inspector/inspector_view.h"
#include "ui/inspector/mask_painter.h"

class QAction;
class QComboBox;
class QLabel;
class QPushButton;
class QSpinBox;
class QStackedLayout;
class QTabBar;
class QCheckBox;
class QToolButton;
class QVBoxLayout;

namespace fw::ui {

class FlowLayout;
class ImguiWidget;
class KeyMap;
class PairView;
class WhatIfBar;
enum class ViewFormat : quint8;

// What to look into. Empty paths: there is none.
struct InspectTarget {
    QString trace, clip;
    QString name;                   // of the clip, for messages
    bool canRerun = false;          // a rerunRequested() would be heeded
    bool isRunning = false;         // being made: updateTrace() comes with every step
    app::ClipImages pictures = {};  // to lay numbers over while there is no clip
};

class InspectorPanel : public QWidget {
    Q_OBJECT

 public:
    explicit InspectorPanel(QWidget* parent = nullptr);
    ~InspectorPanel() override;  // waits for a file that is being read

    // Opens the target's trace as soon as the panel is visible; off the window's thread.
    void setTarget(const InspectTarget& target);
    // A newer trace of a target that is being made, or that failed; what is looked at stays chosen.
    void updateTrace(const QString& trace);
    [[nodiscard]] bool isWatching() const { return m_target.isRunning; }
    // A second run to compare with; empty: none. `sideBySide`: shown beside the first as soon as it is read.
    void setOther(const QString& trace, bool sideBySide = false);
    // The attention methods of the engine that would make a branch: their settings can be changed.
    void setMethods(std::vector<job::MethodDescription> methods);
    [[nodiscard]] MaskPainter& painter() { return m_painter; }

    [[nodiscard]] const RunModel* run() const { return m_run.get(); }
    [[nodiscard]] const Selection& selection() const { return m_selection; }
    void select(const Selection& selection);
    // By the view's id().
    void showView(const QString& id);
    // Of both runs, where they are looked at side by side.
    [[nodiscard]] InspectorView& view() const;
    [[nodiscard]] ImguiWidget* surface() const { return m_surface; }
    // The message in place of the views; empty: a view is shown.
    [[nodiscard]] QString message() const;
    // Writes the view that is shown. Says in notice() how it went.
    bool exportTo(ViewFormat format, const QString& file);
    void copyImage();

 signals:
    void selectionChanged();
    // The run should be made again with probes, with the same seed.
    void rerunRequested();
    // The target is being made, the panel is visible, and updateTrace() is waited for. `withProbes`: and probes
    // wanted.
    void lookRequested(bool withProbes);
    // The run should be made again, with the same seed, with these changes, its own among them (job::WhatIf).
    void branchRequested(const fw::Json& whatIf);
    void notice(const QString& sentence);
    void opened();  // a trace is shown, or it could not be: see run()

 protected:
    void showEvent(QShowEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

 private:
    using Run = std::shared_ptr<const RunModel>;

    QWidget* buildHeader();
    QWidget* buildMessage();
    void buildKeys();
    QSpinBox* addNumber(FlowLayout* row, const QString& name, const QString& tip, int Selection::*member);
    void buildExportMenu();
    void openWanted();
    void read(const QString& file, void (InspectorPanel::*answer)(const Result<Run>&), quint64* newest);
    void onRead(const Result<Run>& run);
    void onOtherRead(const Result<Run>& run);
    void drawView();
    void updatePair();
    void updateControls();
    void updateOptions();
    void updateMessage();
    void updateCaption();
    void clampSelection();
    void move(int Selection::*member, int by);
    void chooseOther();
    void askAndExport(ViewFormat format);
    void buildWhatIf(QVBoxLayout* column);
    void updateWhatIf();
    void updateParameters();
    void saveWhatIf();
    [[nodiscard]] std::optional<Json> whatIf();
    [[nodiscard]] Scene scene();
    [[nodiscard]] QString emptyText() const;

    InspectTarget m_target;
    bool m_wanted = false;  // the target has not been opened yet
    bool m_reading = false;
    quint64 m_newest = 0, m_newestOther = 0;
    Run m_run, m_other;
    QString m_problem;
    Selection m_selection;
    std::vector<std::unique_ptr<InspectorView>> m_views;
    std::vector<std::unique_ptr<InspectorView>> m_otherViews;  // of the second run, side by side with the first
    std::unique_ptr<PairView> m_pair;                          // of the current ones; none: one run is looked at
    std::size_t m_current = 0;
    app::ClipFiles m_files;
    app::ClipImages m_clip;
    QString m_clipFile;  // read or being read
    QThreadPool m_readers;
    bool m_updating = false;

    QTabBar* m_tabs;
    ImguiWidget* m_surface;
    QStackedLayout* m_pages;
    QLabel* m_messageText;
    QPushButton *m_rerun, *m_lookInside;
    QLabel* m_caption;
    std::array<std::pair<QSpinBox*, QWidget*>, 3> m_numbers{};  // step, layer, head, each with its label
    QComboBox* m_branch;
    QWidget* m_branchLabel;
    FlowLayout* m_row;
    QCheckBox* m_sideBySide;
    KeyMap* m_keys;
    std::vector<std::pair<QWidget*, QComboBox*>> m_options;
    QToolButton* m_export;
    MaskPainter m_painter;
    WhatIfBar* m_whatIf;
    std::vector<job::MethodDescription> m_methods;
    std::optional<std::string> m_parametersOf;  // the method that the bar has fields for
    QAction* m_saveWhatIf;
    bool m_wantsPair = false;  // the other run, once it is read, goes beside the first
};

}  // namespace fw::ui
