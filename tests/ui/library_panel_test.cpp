// The library panel as a person uses it, with a library on disk.
// With FW_PICTURES set to a folder, a picture of each state is saved there to be looked at.
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QCompleter>
#include <QDir>
#include <QElapsedTimer>
#include <QInputDialog>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QToolButton>
#include <QUndoStack>
#include <algorithm>
#include <memory>

#include "app/library/clip_paths.h"
#include "core/media/clip_writer.h"
#include "library_fixture.h"
#include "library_generator.h"
#include "pictures.h"
#include "ui/clip_details.h"
#include "ui/clip_settings.h"
#include "ui/difference_dialog.h"
#include "ui/library_grid.h"
#include "ui/library_model.h"
#include "ui/library_panel.h"
#include "ui/library_search.h"
#include "ui/notice_bar.h"
#include "ui/saved_search_menu.h"
#include "ui/star_field.h"
#include "ui/theme.h"

namespace fw::ui::test {

class LibraryPanelTest : public QObject {
    Q_OBJECT

 private:
    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<app::LibraryService> m_library;
    std::unique_ptr<app::ClipFiles> m_files;
    std::unique_ptr<LibraryPanel> m_panel;
    std::vector<std::int64_t> m_ids;

    [[nodiscard]] QString folder() const { return m_folder->filePath(QStringLiteral("library")); }
    void fill() {
        auto store = store::LibraryStore::open(folder().toStdString());
        QVERIFY(store.has_value());
        const std::vector<std::string> prompts = {
            "a red fox walks through a snowy forest at night", "an owl flies over the old town in the rain",
            "a blue car drives along the beach at sunset",     "a child runs through tall grass, cinematic",
            "steam train crossing a bridge, aerial view",      "a clock with moving gears, close up",
            "a red balloon drifts over the mountains"};
        m_ids.clear();
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            auto clip = makeClip(prompts[i], "clips/2026-11/" + std::to_string(i) + ".mp4");
            clip.model = i % 2 == 0 ? "mini" : "Wan2.1-T2V-1.3B";
            clip.steps = 10 + static_cast<int>(i) * 5;
            m_ids.push_back(addClip(**store, folder(), clip, static_cast<int>(i)));
        }
        QVERIFY((*store)->close());
    }
    void openPanel() {
        auto library = app::LibraryService::open(folder().toStdString());
        QVERIFY2(library.has_value(), library ? "" : library.error().message.c_str());
        m_library = std::move(*library);
        m_files = std::make_unique<app::ClipFiles>();
        m_panel = std::make_unique<LibraryPanel>(*m_library, *m_files);
        m_panel->resize(1100, 720);
        m_panel->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_panel.get()));
        m_panel->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_panel.get()));
        QTRY_VERIFY(!model()->isSearching());
    }
    void closePanel() {
        m_panel.reset();
        m_files.reset();
        m_library.reset();
    }
    [[nodiscard]] LibraryModel* model() const { return m_panel->model(); }
    [[nodiscard]] LibraryGrid* grid() const { return m_panel->grid(); }
    [[nodiscard]] QLineEdit* line() const { return m_panel->search()->line(); }
    [[nodiscard]] NoticeBar* notice() const { return m_panel->findChild<NoticeBar*>(); }
    template <class T>
    [[nodiscard]] T* named(const QString& accessibleName) const {
        for (auto* widget : m_panel->findChildren<T*>()) {
            if (widget->accessibleName() == accessibleName) {
                return widget;
            }
        }
        return nullptr;
    }
    [[nodiscard]] const store::Clip* clip(std::int64_t id) const { return model()->clip(model()->rowOf(id)); }
    void clickClip(std::int64_t id, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
        const QModelIndex index = model()->index(model()->rowOf(id));
        grid()->scrollTo(index);
        QTest::mouseClick(grid()->viewport(), Qt::LeftButton, modifiers, grid()->visualRect(index).center());
    }
    void type(const QString& text) {
        line()->setFocus();
        line()->clear();
        QTest::keyClicks(line(), text);
    }
    [[nodiscard]] std::vector<std::int64_t> rows() const {
        std::vector<std::int64_t> ids;
        for (int row = 0; row < model()->rowCount(); ++row) {
            ids.push_back(model()->id(row));
        }
        return ids;
    }
    // What the database says, whatever the panel shows.
    [[nodiscard]] store::Clip stored(std::int64_t id) const {
        const auto store = store::LibraryStore::openReadOnly(folder().toStdString());
        const auto found = store ? (*store)->clip(id) : Result<store::Clip>(store::Clip{});
        return found ? *found : store::Clip{};
    }
    // Presses a button of the next question.
    void answer(const QString& button) {
        QTimer::singleShot(0, this, [this, button] { pressIn(button, 100); });
    }
    void pressIn(const QString& button, int tries) {
        auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
        if (box == nullptr) {
            if (tries > 0) {
                QTimer::singleShot(20, this, [this, button, tries] { pressIn(button, tries - 1); });
            }
            return;
        }
        for (auto* candidate : box->buttons()) {
            if (candidate->text() == button) {
                QTest::mouseClick(candidate, Qt::LeftButton);
                return;
            }
        }
        box->reject();
        QFAIL(qPrintable(QStringLiteral("no button %1").arg(button)));
    }
    void takePicture(const QString& name) {
        const QString pictures = qEnvironmentVariable("FW_PICTURES");
        if (pictures.isEmpty()) {
            return;
        }
        QDir().mkpath(pictures);
        for (const ThemeChoice choice : {ThemeChoice::Light, ThemeChoice::Dark}) {
            m_theme->setChoice(choice);
            QTest::qWait(300);  // for the pictures in the tiles
            const QString suffix = choice == ThemeChoice::Dark ? QStringLiteral("-dark") : QStringLiteral("-light");
            QVERIFY(m_panel->grab().save(QDir(pictures).filePath(name + suffix + QStringLiteral(".png"))));
        }
    }

 private slots:
    void init() {
        QLocale::setDefault(QLocale::c());
        m_folder = std::make_unique<QTemporaryDir>();
        m_theme = std::make_unique<Theme>(*qApp);
        fill();
        openPanel();
    }
    void cleanup() {
        closePanel();
        m_theme.reset();
    }

    void findsAClipByWordsAndFields() {
        QCOMPARE(model()->rowCount(), 7);
        QCOMPARE(model()->id(0), m_ids.back());  // newest first
        type(QStringLiteral("red"));
        QTRY_COMPARE(rows(), (std::vector{m_ids[6], m_ids[0]}));
        type(QStringLiteral("steps:>20 model:wan"));
        QTRY_COMPARE(rows(), (std::vector{m_ids[5], m_ids[3]}));
        type(QStringLiteral("-red train"));
        QTRY_COMPARE(rows(), (std::vector{m_ids[4]}));
        QTest::keyClick(line(), Qt::Key_Escape);
        QTRY_COMPARE(model()->rowCount(), 7);
    }

    void namesAMistakeInPlaceAndKeepsWhatWasFound() {
        type(QStringLiteral("red"));
        QTRY_COMPARE(model()->rowCount(), 2);
        line()->setFocus();
        QTest::keyClicks(line(), QStringLiteral(" steps:many"));
        QVERIFY2(m_panel->search()->mistake().contains(QStringLiteral("character 5")) &&
                     m_panel->search()->mistake().contains(QStringLiteral("many")),
                 qPrintable(m_panel->search()->mistake()));
        QVERIFY(line()->property("invalid").toBool());
        QTRY_VERIFY(!model()->isSearching());
        QCOMPARE(model()->rowCount(), 2);  // what "red" alone finds
        takePicture(QStringLiteral("mistake"));
        QTest::keyClick(line(), Qt::Key_Escape);
        QVERIFY(m_panel->search()->mistake().isEmpty());
        QVERIFY(!line()->property("invalid").toBool());
    }

    void completesFieldsAndTheirValues() {
        auto* completer = m_panel->search()->findChild<QCompleter*>();
        QVERIFY(completer);
        type(QStringLiteral("red mo"));
        QCOMPARE(completer->completionModel()->index(0, 0).data().toString(), QStringLiteral("model:"));
        emit completer->activated(QStringLiteral("model:"));
        QCOMPARE(line()->text(), QStringLiteral("red model:"));
        QVERIFY(m_panel->search()->mistake().contains(QStringLiteral("model:")));
        QVERIFY(!line()->property("invalid").toBool());  // not a mistake yet
        // They are read only now.
        QTRY_COMPARE(completer->completionModel()->rowCount(), 2);
        QStringList values;
        for (int i = 0; i < completer->completionModel()->rowCount(); ++i) {
            values.append(completer->completionModel()->index(i, 0).data().toString());
        }
        QCOMPARE(values, (QStringList{QStringLiteral("model:Wan2.1-T2V-1.3B"), QStringLiteral("model:mini")}));
        emit completer->activated(values.last());
        QCOMPARE(line()->text(), QStringLiteral("red model:mini "));
        QTRY_COMPARE(model()->rowCount(), 2);
        completer->popup()->hide();
    }

    // Saved and used again by keys alone; found again after a restart.
    void keepsSearches() {
        auto* saved = m_panel->savedSearches();
        auto* order = named<QComboBox>(QStringLiteral("Order"));
        QCOMPARE(saved->names(), QStringList());
        type(QStringLiteral("red"));
        order->setCurrentText(QStringLiteral("Oldest"));
        QTRY_COMPARE(model()->rowCount(), 2);
        QTest::keyClick(line(), Qt::Key_Tab);
        QVERIFY(saved->hasFocus());
        QTimer::singleShot(0, saved, [&] {
            QTRY_VERIFY(saved->menu()->isVisible());
            QTimer::singleShot(0, saved, [] {
                QTRY_VERIFY(qobject_cast<QInputDialog*>(QApplication::activeModalWidget()));
                auto* dialog = qobject_cast<QInputDialog*>(QApplication::activeModalWidget());
                QCOMPARE(dialog->textValue(), QStringLiteral("red"));
                dialog->setTextValue(QStringLiteral("  Red & <b>oldest</b> first "));
                QTest::keyClick(dialog, Qt::Key_Return);
            });
            QTest::keyClick(saved->menu(), Qt::Key_Down);  // past what cannot be chosen
            QTest::keyClick(saved->menu(), Qt::Key_Return);
        });
        QTest::keyClick(saved, Qt::Key_Space);
        const auto name = QStringLiteral("Red & <b>oldest</b> first");
        QTRY_COMPARE(saved->names(), QStringList{name});

        closePanel();
        openPanel();
        saved = m_panel->savedSearches();
        QTRY_COMPARE(saved->names(), QStringList{name});
        QTimer::singleShot(0, saved, [&] {
            QTRY_VERIFY(saved->menu()->isVisible());
            const QAction* action = saved->menu()->actions().first();
            QCOMPARE(action->text(), QStringLiteral("Red && <b>oldest</b> first"));
            QVERIFY(action->toolTip().contains(QStringLiteral("red")));
            if (qEnvironmentVariableIsSet("FW_PICTURES")) {
                saved->menu()->grab().save(
                    QDir(qEnvironmentVariable("FW_PICTURES")).filePath("saved-searches.png"));
            }
            QTest::keyClick(saved->menu(), Qt::Key_Down);
            QTest::keyClick(saved->menu(), Qt::Key_Return);
        });
        saved->setFocus();
        QTest::keyClick(saved, Qt::Key_Space);
        QCOMPARE(line()->text(), QStringLiteral("red"));
        QCOMPARE(named<QComboBox>(QStringLiteral("Order"))->currentText(), QStringLiteral("Oldest"));
        QTRY_COMPARE(rows(), (std::vector{m_ids[0], m_ids[6]}));
        QVERIFY(line()->hasFocus());

        saved->rename(name, QStringLiteral("Red"));
        QTRY_COMPARE(saved->names(), QStringList{QStringLiteral("Red")});
        saved->save(QStringLiteral("Other"));
        QTRY_COMPARE(saved->names().size(), 2);
        saved->rename(QStringLiteral("Red"), QStringLiteral("other"));
        QTRY_VERIFY2(notice()->isVisible(), "the name is taken");
        QCOMPARE(saved->names(), (QStringList{QStringLiteral("Other"), QStringLiteral("Red")}));
        saved->remove(QStringLiteral("Other"));
        QTRY_COMPARE(saved->names(), QStringList{QStringLiteral("Red")});
        saved->restoreRemoved();
        QTRY_COMPARE(saved->names().size(), 2);
    }

    void starsByKeyAndClickAndUndo() {
        clickClip(m_ids[1]);
        grid()->setFocus();
        QTest::keyClick(grid(), Qt::Key_4);
        QTRY_COMPARE(stored(m_ids[1]).stars, 4);
        QTRY_COMPARE(clip(m_ids[1])->stars, 4);
        auto* stars = m_panel->findChild<StarField*>();
        QTRY_COMPARE(stars->stars(), 4);
        QTest::mouseClick(stars, Qt::LeftButton, {}, QPoint(30, stars->height() / 2));
        QTRY_COMPARE(stored(m_ids[1]).stars, 2);
        QTest::keyClick(grid(), Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE(stored(m_ids[1]).stars, 4);
        QTest::keyClick(grid(), Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE(stored(m_ids[1]).stars, 0);
        m_panel->undoStack()->redo();
        QTRY_COMPARE(stored(m_ids[1]).stars, 4);
        QCOMPARE(grid()->selectedIds(), (std::vector{m_ids[1]}));
    }

    void tagsAreAddedFoundAndRemoved() {
        clickClip(m_ids[0]);
        clickClip(m_ids[2], Qt::ControlModifier);
        auto* field = named<QLineEdit>(QStringLiteral("Add a tag"));
        QTRY_VERIFY(field->isVisible());
        field->setFocus();
        QTest::keyClicks(field, QStringLiteral("for the talk"));
        QTest::keyClick(field, Qt::Key_Return);
        QTRY_COMPARE(stored(m_ids[2]).tags, std::vector<std::string>{"for the talk"});
        QCOMPARE(stored(m_ids[0]).tags, std::vector<std::string>{"for the talk"});
        QTRY_VERIFY(field->text().isEmpty());
        type(QStringLiteral("tag:\"for the talk\""));
        QTRY_COMPARE(model()->rowCount(), 2);
        clickClip(m_ids[0]);
        QTRY_VERIFY(named<QPushButton>(QStringLiteral("Remove the tag for the talk")));
        QTRY_VERIFY(named<QPushButton>(QStringLiteral("Remove the tag for the talk"))->isVisible());
        QTest::mouseClick(named<QPushButton>(QStringLiteral("Remove the tag for the talk")), Qt::LeftButton);
        QTRY_COMPARE(rows(), (std::vector{m_ids[2]}));  // it no longer matches
        m_panel->undoStack()->undo();
        QTRY_COMPARE(model()->rowCount(), 2);
        m_panel->undoStack()->undo();
        QTRY_COMPARE(model()->rowCount(), 0);
        QVERIFY(stored(m_ids[0]).tags.empty());
    }

    void notesAreSavedWhileWriting() {
        clickClip(m_ids[3]);
        auto* notes = m_panel->findChild<QPlainTextEdit*>();
        QTRY_VERIFY(notes->isVisible());
        notes->setFocus();
        QTest::keyClicks(notes, QStringLiteral("hands look wrong"));
        clickClip(m_ids[4]);  // does not wait for the pause
        QTRY_COMPARE(stored(m_ids[3]).notes, std::string("hands look wrong"));
        QTRY_VERIFY(notes->toPlainText().isEmpty());
        type(QStringLiteral("hands"));
        QTRY_COMPARE(rows(), (std::vector{m_ids[3]}));
    }

    void trashIsUndoneByTheNoticeAndByKey() {
        clickClip(m_ids[2]);
        grid()->setFocus();
        QTest::keyClick(grid(), Qt::Key_Delete);
        QTRY_COMPARE(model()->rowCount(), 6);
        QCOMPARE(model()->rowOf(m_ids[2]), -1);
        QVERIFY(notice()->isVisible());
        auto* undo = named<QPushButton>(QStringLiteral("Undo"));
        QVERIFY(undo && undo->isVisible());
        QTest::mouseClick(undo, Qt::LeftButton);
        QTRY_COMPARE(model()->rowCount(), 7);
        QCOMPARE(stored(m_ids[2]).trashedUs, 0);
        // Several at once, not neighbours.
        clickClip(m_ids[0]);
        clickClip(m_ids[4], Qt::ControlModifier);
        QTest::keyClick(grid(), Qt::Key_Delete);
        QTRY_COMPARE(model()->rowCount(), 5);
        QTest::keyClick(grid(), Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE(model()->rowCount(), 7);
        QVERIFY(QFile::exists(QDir(folder()).filePath(QStringLiteral("clips/2026-11/0.mp4"))));
    }

    void purgeAsksAndDeletesTheFiles() {
        const QString file = QDir(folder()).filePath(QStringLiteral("clips/2026-11/1.mp4"));
        clickClip(m_ids[1]);
        QTest::keyClick(grid(), Qt::Key_Delete);
        QTRY_COMPARE(model()->rowCount(), 6);
        QTest::mouseClick(named<QToolButton>(QStringLiteral("Trash")), Qt::LeftButton);
        QTRY_COMPARE(rows(), (std::vector{m_ids[1]}));
        clickClip(m_ids[1]);
        takePicture(QStringLiteral("trash"));
        grid()->setFocus();
        answer(QStringLiteral("Keep"));
        QTest::keyClick(grid(), Qt::Key_Delete);
        QTRY_VERIFY(QApplication::activeModalWidget() == nullptr);
        QCOMPARE(model()->rowCount(), 1);
        QVERIFY(QFile::exists(file));
        answer(QStringLiteral("Delete"));
        QTest::keyClick(grid(), Qt::Key_Delete);
        QTRY_COMPARE(model()->rowCount(), 0);
        QVERIFY(!QFile::exists(file));
        QVERIFY(!QFile::exists(QDir(folder()).filePath(QStringLiteral("thumbnails/1.png"))));
        QCOMPARE(stored(m_ids[1]).id, 0);
        QTest::mouseClick(named<QToolButton>(QStringLiteral("Trash")), Qt::LeftButton);
        QTRY_COMPARE(model()->rowCount(), 6);
    }

    void aMissingFileIsShownAndNothingIsForgotten() {
        const QString file = QDir(folder()).filePath(QStringLiteral("clips/2026-11/3.mp4"));
        QVERIFY(QFile::rename(file, file + QStringLiteral(".away")));
        closePanel();
        openPanel();
        QTRY_VERIFY(clip(m_ids[3]) && clip(m_ids[3])->missing);
        QTRY_VERIFY(stored(m_ids[3]).missing);
        QSignalSpy activated(m_panel.get(), &LibraryPanel::clipActivated);
        QSignalSpy noticed(m_panel.get(), &LibraryPanel::notice);
        clickClip(m_ids[3]);
        QTest::keyClick(grid(), Qt::Key_Return);
        QTRY_COMPARE(noticed.count(), 1);
        QVERIFY(noticed.first().first().toString().contains(QStringLiteral("3.mp4")));
        QCOMPARE(activated.count(), 0);
        type(QStringLiteral("missing:yes"));
        QTRY_COMPARE(rows(), (std::vector{m_ids[3]}));
        clickClip(m_ids[3]);
        takePicture(QStringLiteral("missing"));
        QVERIFY(QFile::rename(file + QStringLiteral(".away"), file));
        line()->clear();
        QTRY_COMPARE(model()->rowCount(), 7);
        QTRY_VERIFY(clip(m_ids[3]) && !clip(m_ids[3])->missing);
    }

    void aMovedLibraryKeepsItsClips() {
        closePanel();
        const QString moved = m_folder->filePath(QStringLiteral("moved"));
        QVERIFY(QDir().rename(folder(), moved));
        QVERIFY(QDir().rename(moved, folder() + QStringLiteral("x")));
        QVERIFY(QDir().rename(folder() + QStringLiteral("x"), folder()));
        auto library = app::LibraryService::open(folder().toStdString());
        QVERIFY(library.has_value());
        library->reset();
        // Somewhere else for good.
        QVERIFY(QDir().rename(folder(), moved));
        library = app::LibraryService::open(moved.toStdString());
        QVERIFY(library.has_value());
        {
            app::ClipFiles files;
            LibraryPanel panel(**library, files);
            panel.show();
            QTRY_COMPARE(panel.model()->rowCount(), 7);
            QTRY_VERIFY(panel.model()->clip(0) && !panel.model()->clip(0)->missing);
        }
        library->reset();
        QVERIFY(QDir().rename(moved, folder()));
        openPanel();
    }

    void settingsAreLoadedVariedAndCopied() {
        clickClip(m_ids[5]);
        QSignalSpy load(m_panel.get(), &LibraryPanel::loadSettingsRequested);
        QSignalSpy vary(m_panel.get(), &LibraryPanel::varySeedRequested);
        QSignalSpy exported(m_panel.get(), &LibraryPanel::exportRequested);
        QTRY_VERIFY(named<QPushButton>(QStringLiteral("Load settings"))->isVisible());
        QTest::mouseClick(named<QPushButton>(QStringLiteral("Load settings")), Qt::LeftButton);
        QTRY_COMPARE(load.count(), 1);
        QCOMPARE(load.first().first().value<job::GenerationRequest>().seed, std::optional<std::uint64_t>(42));
        QTest::mouseClick(named<QPushButton>(QStringLiteral("Vary seed")), Qt::LeftButton);
        QTRY_COMPARE(vary.count(), 1);
        const auto varied = vary.first().first().value<job::GenerationRequest>();
        QVERIFY(!varied.seed);
        QCOMPARE(varied.prompt, stored(m_ids[5]).prompt);
        QTest::mouseClick(named<QPushButton>(QStringLiteral("Export…")), Qt::LeftButton);
        QTRY_COMPARE(exported.count(), 1);
        QTest::mouseClick(named<QPushButton>(QStringLiteral("Copy settings")), Qt::LeftButton);
        QTRY_VERIFY(QApplication::clipboard()->text().contains(QStringLiteral("\"seed\": 42")));
    }

    void severalClipsShowWhatDiffers() {
        clickClip(m_ids[6]);
        clickClip(m_ids[4], Qt::ShiftModifier);
        QCOMPARE(grid()->selectedIds().size(), 3U);
        const auto says = [this](const QString& text) {
            const auto labels = m_panel->details()->findChildren<QLabel*>();
            return std::any_of(labels.begin(), labels.end(), [&](QLabel* label) { return label->text() == text; });
        };
        QTRY_VERIFY(says(QStringLiteral("3 clips selected")));
        QTRY_VERIFY(says(QStringLiteral("What differs")));
        auto first = makeClip("a fox", "a.mp4");
        auto second = first;
        second.requestJson = R"({"schema":1,"prompt":"a fox","width":256,"height":256,"frames":33,)"
                             R"("frame_rate":"12/1","steps":50,"guidance":5.0,"seed":42,"method":"salad",)"
                             R"("method_parameters":{"keep":0.2}})";
        QStringList different;
        for (const SettingRow& row : settingRows({first, second})) {
            if (row.differs()) {
                different.append(row.name + QLatin1Char('=') + row.values.join(QLatin1Char('|')));
            }
        }
        QCOMPARE(different, (QStringList{QStringLiteral("Attention=dense|salad"), QStringLiteral("Steps=20|50"),
                                         QStringLiteral("Attention: keep=|0.2")}));
        QTRY_VERIFY(grid()->isVisible());
        takePicture(QStringLiteral("several"));
        ThumbnailCache thumbnails(folder().toStdString());
        const DifferenceDialog dialog({first, second}, thumbnails);
        QCOMPARE(dialog.table()->rowCount(), 4);
        QCOMPARE(dialog.table()->item(2, 1)->text(), QStringLiteral("50"));
    }

    void clipsOfDifferentSearchesAreCollectedAndCompared() {
        type(QStringLiteral("owl"));
        QTRY_COMPARE(model()->rowCount(), 1);
        clickClip(m_ids[1]);
        QTest::keyClick(grid(), Qt::Key_C);
        auto* button = named<QPushButton>(QStringLiteral("What differs…"));
        QTRY_VERIFY(button->isVisible());
        QVERIFY(!button->isEnabled());
        type(QStringLiteral("train"));
        QTRY_COMPARE(rows(), (std::vector{m_ids[4]}));
        clickClip(m_ids[4]);
        QTest::keyClick(grid(), Qt::Key_C);
        QTest::keyClick(grid(), Qt::Key_C);  // once is enough
        QTRY_VERIFY(button->isEnabled());
        int columns = 0;
        QTimer watch;
        connect(&watch, &QTimer::timeout, this, [&] {
            if (auto* dialog = qobject_cast<DifferenceDialog*>(QApplication::activeModalWidget())) {
                watch.stop();
                columns = dialog->table()->columnCount();
                savePictures(*dialog, *m_theme, QStringLiteral("differences"));
                dialog->reject();
            }
        });
        watch.start(20);
        QTest::mouseClick(button, Qt::LeftButton);
        QCOMPARE(columns, 2);
        QTest::mouseClick(named<QToolButton>(QStringLiteral("Forget the collected clips")), Qt::LeftButton);
        QTRY_VERIFY(!button->isVisible());
    }

    void worksWithTheKeyboardAlone() {
        QSignalSpy activated(m_panel.get(), &LibraryPanel::clipActivated);
        grid()->setFocus();
        QTest::keyClick(grid(), Qt::Key_F, Qt::ControlModifier);
        QTRY_VERIFY(line()->hasFocus());
        QTest::keyClicks(line(), QStringLiteral("red"));
        QTRY_COMPARE(model()->rowCount(), 2);
        QTest::keyClick(line(), Qt::Key_Down);
        QTRY_VERIFY(grid()->hasFocus());
        QTest::keyClick(grid(), Qt::Key_Right);
        QTest::keyClick(grid(), Qt::Key_5);
        QTRY_COMPARE(stored(m_ids[0]).stars, 5);
        QTest::keyClick(grid(), Qt::Key_Return);
        QTRY_COMPARE(activated.count(), 1);
        QCOMPARE(activated.first().first().value<store::Clip>().id, m_ids[0]);
        QTest::keyClick(grid(), Qt::Key_A, Qt::ControlModifier);
        QCOMPARE(grid()->selectedIds().size(), 2U);
    }

    void aClipLeavesAsAFile() {
        clickClip(m_ids[0]);
        clickClip(m_ids[1], Qt::ControlModifier);
        QList<QUrl> urls = grid()->selectedFiles();
        std::sort(urls.begin(), urls.end());
        QCOMPARE(urls, (QList<QUrl>{
                           QUrl::fromLocalFile(QDir(folder()).filePath(QStringLiteral("clips/2026-11/0.mp4"))),
                           QUrl::fromLocalFile(QDir(folder()).filePath(QStringLiteral("clips/2026-11/1.mp4")))}));
    }

    void aNewClipAppearsAtTheTopAndTheSelectionStays() {
        clickClip(m_ids[2]);
        QSignalSpy resets(model(), &QAbstractItemModel::modelReset);
        qint64 added = 0;
        m_library->write(
            m_panel.get(),
            [](store::LibraryStore& store) { return store.addClip(makeClip("brand new", "new.mp4")); },
            [&](const Result<store::Clip>& stored) {
                added = stored ? stored->id : -1;
                m_panel->clipAdded(added);
            });
        QTRY_COMPARE(model()->rowCount(), 8);
        QCOMPARE(model()->id(0), added);
        QCOMPARE(grid()->selectedIds(), (std::vector{m_ids[2]}));
        QCOMPARE(resets.count(), 0);
    }

    void playsUnderThePointer() {
        // A real clip: one colour after the other.
        const QString file = QDir(folder()).filePath(QStringLiteral("clips/2026-11/6.mp4"));
        QVERIFY(QFile::remove(file));
        {
            auto writer = media::ClipWriter::create(file.toStdString(), media::ClipSpec{64, 64, {12, 1}, ""});
            QVERIFY2(writer.has_value(), writer ? "" : writer.error().message.c_str());
            std::vector<std::uint8_t> rgb(12 * 64 * 64 * 3);
            for (std::size_t i = 0; i < rgb.size(); ++i) {
                rgb[i] = static_cast<std::uint8_t>(i / (64 * 64 * 3) * 20);
            }
            const ConstTensorView frames(rgb.data(), DType::U8, Shape{12, 64, 64, 3});
            QVERIFY((*writer)->write(frames));
            QVERIFY((*writer)->finish());
        }
        const QModelIndex index = model()->index(model()->rowOf(m_ids[6]));
        QTest::mouseMove(grid()->viewport(), grid()->visualRect(index).center());
        QTRY_VERIFY(!grid()->playingFrame(m_ids[6]).isNull());
        const auto first = grid()->playingFrame(m_ids[6]).cacheKey();
        QTRY_VERIFY(grid()->playingFrame(m_ids[6]).cacheKey() != first);
        QTest::mouseMove(grid()->viewport(), grid()->visualRect(model()->index(3)).center());
        QTRY_VERIFY(grid()->playingFrame(m_ids[6]).isNull());
    }

    void hostileRowsAreHarmless() {
        const QString outside = m_folder->filePath(QStringLiteral("outside.mp4"));
        QFile file(outside);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.close();
        std::vector<std::int64_t> ids;
        {
            auto store = store::LibraryStore::open(folder().toStdString());
            QVERIFY(store.has_value());
            const std::vector<std::string> texts = {"<h1>hostile</h1><img src=x>",
                                                    "\"quoted\"\n'lines'\nhostile",
                                                    std::string(5000, 'w') + " hostile",
                                                    "hostile \xE2\x80\xAEgnp.exe",
                                                    "hostile 🦊👩‍💻 עברית",
                                                    "hostile %1 %n {0}",
                                                    "hostile\xff\xfe"};
            for (std::size_t i = 0; i < texts.size(); ++i) {
                auto clip =
                    makeClip(texts[i], i == 0 ? "../outside.mp4" : "clips/'" + std::to_string(i) + "\"\n🦊.mp4");
                clip.notes = clip.model = clip.negativePrompt = texts[i];
                clip.tags = {texts[i].substr(0, 300)};
                clip.thumbnailFile = i == 1 ? "/etc/passwd" : "../../../etc/passwd";
                clip.traceFile = i == 0 ? outside.toStdString() : "";
                const auto added = (*store)->addClip(clip);
                QVERIFY(added.has_value());
                ids.push_back(added->id);
            }
            QVERIFY((*store)->setTrashed({ids[0]}, true));
            QVERIFY((*store)->close());
        }
        m_panel->refresh();
        type(QStringLiteral("hostile"));
        QTRY_COMPARE(model()->rowCount(), static_cast<int>(ids.size()) - 1);
        for (std::size_t i = 1; i < ids.size(); ++i) {
            clickClip(ids[i]);
            QTRY_VERIFY(clip(ids[i]) != nullptr);
            QTest::qWait(1);
            QVERIFY(!m_panel->grab().isNull());
        }
        takePicture(QStringLiteral("hostile"));
        const QString toolTip = model()->index(0).data(Qt::ToolTipRole).toString();
        QVERIFY2(!toolTip.contains(QStringLiteral("<img")) && toolTip.startsWith(QStringLiteral("<p>")),
                 qPrintable(toolTip));
        // Nothing makes the details wider than their place.
        QVERIFY(m_panel->details()->widget()->width() <= m_panel->details()->viewport()->width());
        m_panel->showTrash(true);
        QTRY_COMPARE(rows(), (std::vector{ids[0]}));
        QTRY_VERIFY(clip(ids[0]) && clip(ids[0])->missing);  // a file outside the library is none of its files
        clickClip(ids[0]);
        grid()->setFocus();
        answer(QStringLiteral("Delete"));
        QTest::keyClick(grid(), Qt::Key_Delete);
        QTRY_COMPARE(model()->rowCount(), 0);
        QVERIFY2(QFile::exists(outside), "purging deletes nothing outside the library");
    }

    void pathsStayInsideTheLibrary() {
        const std::filesystem::path library("/lib");
        QCOMPARE(app::pathInLibrary(library, "clips/a.mp4")->string(), std::string("/lib/clips/a.mp4"));
        QCOMPARE(app::pathInLibrary(library, "clips/../b.mp4")->string(), std::string("/lib/b.mp4"));
        QCOMPARE(app::fileInLibrary(library, "clips/\"ü\"\n🦊.mp4"),
                 QStringLiteral("/lib/clips/\"ü\"\n🦊.mp4"));
        for (const char* bad : {"", ".", "..", "../a", "a/../../b", "/etc/passwd", "clips/../../etc", "./.."}) {
            QVERIFY2(!app::pathInLibrary(library, bad), bad);
        }
        QVERIFY(!app::pathInLibrary(library, std::string("a\0b", 3)));
        QVERIFY(!app::fileInLibrary(library, "clips/\xff\xfe.mp4").isEmpty());
    }

    void projectsFilterAndMove() {
        qint64 project = 0;
        m_library->write(
            m_panel.get(), [](store::LibraryStore& store) { return store.addProject("Paper"); },
            [&](const Result<store::Project>& added) {
                project = added ? added->id : -1;
                m_panel->refresh();
            });
        auto* combo = named<QComboBox>(QStringLiteral("Project"));
        QTRY_COMPARE(combo->count(), 3);
        QCOMPARE(m_panel->openProject(), 1);
        combo->setFocus();
        QTest::keyClick(combo, Qt::Key_End);
        QTRY_COMPARE(model()->rowCount(), 0);
        QVERIFY(project > 1);
        QCOMPARE(m_panel->openProject(), project);  // new clips go where one looks
        QTRY_VERIFY(named<QPushButton>(QStringLiteral("Show all projects")));
        QTest::keyClick(combo, Qt::Key_Home);
        QTRY_COMPARE(model()->rowCount(), 7);
    }

    void aLargeLibraryIsScrolledFromEndToEnd() {
        closePanel();
        QVERIFY(QDir(folder()).removeRecursively());
        constexpr int kClips = 5000;
        QVERIFY(store::generateLibrary(folder().toStdString(), kClips).has_value());
        openPanel();
        const int shown = kClips - kClips / 50;  // the others are in its trash
        QCOMPARE(model()->rowCount(), shown);
        QElapsedTimer clock;
        clock.start();
        auto* bar = grid()->verticalScrollBar();
        while (bar->value() < bar->maximum()) {
            bar->setValue(bar->value() + 2000);
            QApplication::processEvents();
        }
        QTRY_VERIFY(model()->clip(shown - 1) != nullptr);
        QVERIFY2(clock.elapsed() < 20'000, "usually a second");
        QVERIFY(model()->recordCount() <= LibraryModel::kMostRecords);
        grid()->setFocus();
        QTest::keyClick(grid(), Qt::Key_A, Qt::ControlModifier);
        QCOMPARE(grid()->selectedIds().size(), static_cast<std::size_t>(shown));
        QTest::keyClick(grid(), Qt::Key_3);
        type(QStringLiteral("star:3 -star:>3"));
        QTRY_COMPARE_WITH_TIMEOUT(model()->rowCount(), shown, 30'000);
    }

    void everyControlHasANameAndAToolTip() {
        clickClip(m_ids[0]);
        QTRY_VERIFY(named<QPushButton>(QStringLiteral("Load settings"))->isVisible());
        for (auto* widget : m_panel->findChildren<QWidget*>()) {
            const bool control = qobject_cast<QAbstractButton*>(widget) || qobject_cast<QLineEdit*>(widget) ||
                                 qobject_cast<QComboBox*>(widget) || qobject_cast<QPlainTextEdit*>(widget);
            if (!control || !widget->isVisible() || widget->objectName().startsWith(QStringLiteral("qt_")) ||
                qobject_cast<QLineEdit*>(widget->parentWidget()) || notice()->isAncestorOf(widget)) {
                continue;
            }
            QVERIFY2(!widget->accessibleName().isEmpty(), widget->metaObject()->className());
            QVERIFY2(!widget->toolTip().isEmpty(), qPrintable(widget->accessibleName()));
        }
    }

    void picturesOfTheMainStates() {
        clickClip(m_ids[0]);
        QTest::keyClick(grid(), Qt::Key_4);
        QTRY_COMPARE(clip(m_ids[0])->stars, 4);
        clickClip(m_ids[3]);
        QTest::keyClick(grid(), Qt::Key_2);
        QTRY_COMPARE(clip(m_ids[3])->stars, 2);
        grid()->clearSelection();
        takePicture(QStringLiteral("grid"));
        clickClip(m_ids[0]);
        auto* field = named<QLineEdit>(QStringLiteral("Add a tag"));
        QTRY_VERIFY(field->isVisible());
        for (const char* tag : {"figure 3", "night", "for the talk"}) {
            QTest::keyClicks(field, QString::fromLatin1(tag));
            QTest::keyClick(field, Qt::Key_Return);
            QTRY_VERIFY(field->text().isEmpty());
        }
        grid()->setFocus();
        QTRY_COMPARE(clip(m_ids[0])->tags.size(), 3U);
        takePicture(QStringLiteral("details"));
        m_panel->resize(420, 860);
        takePicture(QStringLiteral("narrow"));
        m_panel->resize(1100, 720);
        QTest::mouseClick(named<QToolButton>(QStringLiteral("Show as a list")), Qt::LeftButton);
        QCOMPARE(grid()->layoutKind(), LibraryGrid::Layout::Rows);
        takePicture(QStringLiteral("rows"));
        type(QStringLiteral("zebra"));
        QTRY_COMPARE(model()->rowCount(), 0);
        QTRY_VERIFY(named<QPushButton>(QStringLiteral("Clear the search")));
        takePicture(QStringLiteral("nothing"));
        QTest::mouseClick(named<QPushButton>(QStringLiteral("Clear the search")), Qt::LeftButton);
        QTRY_COMPARE(model()->rowCount(), 7);
        // The look is remembered with the library.
        closePanel();
        openPanel();
        QTRY_COMPARE(grid()->layoutKind(), LibraryGrid::Layout::Rows);
    }

    void pictureOfAnEmptyLibrary() {
        closePanel();
        QVERIFY(QDir(folder()).removeRecursively());
        openPanel();
        QCOMPARE(model()->rowCount(), 0);
        takePicture(QStringLiteral("empty"));
    }
};

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::LibraryPanelTest)
#include "library_panel_test.moc"
