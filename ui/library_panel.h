// The library: a search line over a grid of clips, the details of what is selected, and the trash.
#pragma once

#include <QHash>
#include <QList>
#include <QTimer>
#include <QWidget>
#include <functional>
#include <vector>

#include "app/clips/clip_files.h"
#include "app/library/library_service.h"
#include "core/job/generation_request.h"
#include "core/store/records.h"

class QComboBox;
class QLabel;
class QMenu;
class QPushButton;
class QSplitter;
class QStackedWidget;
class QToolButton;
class QUndoStack;

namespace fw::ui {

class ClipDetails;
class LibraryEdits;
class LibraryGrid;
class LibraryModel;
class LibrarySearch;
class NoticeBar;
class SavedSearchMenu;
class ThumbnailCache;

class LibraryPanel : public QWidget {
    Q_OBJECT

 public:
    // Both outlive the panel. `files` reads the settings of clips whose rows no longer say them.
    LibraryPanel(app::LibraryService& library, app::ClipFiles& files, QWidget* parent = nullptr);
    ~LibraryPanel() override;

    // Where changes can be taken back; nullptr: a stack of the panel's own.
    void setUndoStack(QUndoStack* stack);
    [[nodiscard]] QUndoStack* undoStack() const;

    void focusSearch();
    void showTrash(bool trash);
    // Of the clips that are shown, for new ones to join; the first where all are.
    [[nodiscard]] qint64 openProject() const;
    [[nodiscard]] LibraryGrid* grid() const { return m_grid; }
    [[nodiscard]] LibraryModel* model() const { return m_model; }
    [[nodiscard]] LibrarySearch* search() const { return m_search; }
    [[nodiscard]] ClipDetails* details() const { return m_details; }
    [[nodiscard]] SavedSearchMenu* savedSearches() const { return m_saved; }

 public slots:
    void clipAdded(qint64 clipId);
    // What others changed in the database.
    void refresh();

 signals:
    void clipActivated(const fw::store::Clip& clip);  // its file exists
    void clipSelected(const fw::store::Clip& clip);   // alone
    void loadSettingsRequested(const fw::job::GenerationRequest& request);
    void varySeedRequested(const fw::job::GenerationRequest& request);  // without a seed: a new one is drawn
    void exportRequested(const QList<fw::store::Clip>& clips);
    void notice(const QString& sentence);

 protected:
    void resizeEvent(QResizeEvent* event) override;

 private:
    enum class Use : quint8 { Load, Vary };
    using Clips = std::vector<store::Clip>;

    void build();
    QWidget* buildHeader();
    QWidget* buildTrashBar();
    QWidget* buildBasket();
    QWidget* buildMessage();
    void connectParts();
    void connectEdits();
    void fillMenu(QMenu* menu);

    [[nodiscard]] store::SavedSearch currentSearch() const;  // without a name
    void showSearch(const store::SavedSearch& search);
    void startSearch();
    void showFound(qint64 count);
    void showMessage(const QString& title, const QString& text, const QString& action);
    void updateDetails();
    void updateChoices();  // projects and tags
    void readValues(const QString& field);
    void forgetValues();
    void remember();  // layout and order, in the library itself
    void restore();

    // With the records of all selected clips, once they were read.
    void withSelected(const std::function<void(const Clips&)>& use);
    void activate(int row);
    void useSettings(Use use);
    void emitUse(Use use, const job::GenerationRequest& request);
    void reveal();
    void copySettings();
    void trashSelected();
    void restoreSelected();
    void purgeClips(const std::vector<std::int64_t>& ids);
    void emptyTrash();
    void showMenu(const QPoint& position);
    void newProject(bool moveSelected);
    void renameProject();
    void collect();  // the selected clips, for a comparison across searches
    void showBasket();
    void compare(const Clips& clips);
    void tell(const QString& sentence, const QString& action = QString());

    app::LibraryService& m_library;
    app::ClipFiles& m_files;
    LibraryModel* m_model;
    ThumbnailCache* m_thumbnails;
    LibraryEdits* m_edits;
    LibrarySearch* m_search = nullptr;
    SavedSearchMenu* m_saved = nullptr;
    QComboBox *m_projects = nullptr, *m_order = nullptr;
    QToolButton *m_rows = nullptr, *m_trash = nullptr;
    QWidget* m_trashBar = nullptr;
    QPushButton *m_restore = nullptr, *m_purge = nullptr;
    QWidget* m_basketBar = nullptr;
    QLabel* m_basketText = nullptr;
    QPushButton* m_compare = nullptr;
    Clips m_basket;
    QSplitter* m_splitter = nullptr;
    QStackedWidget* m_pages = nullptr;
    LibraryGrid* m_grid = nullptr;
    ClipDetails* m_details = nullptr;
    QLabel *m_messageTitle = nullptr, *m_messageText = nullptr, *m_count = nullptr;
    QPushButton* m_messageAction = nullptr;
    NoticeBar* m_notice = nullptr;
    int m_noticeIndex = 0;  // of the undo stack when the notice came
    QTimer m_detailsTimer;
    QHash<qint64, QString> m_projectNames;
    QHash<QString, Use> m_asked;  // files whose settings are being read
};

}  // namespace fw::ui
