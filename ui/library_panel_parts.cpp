// How the library panel is put together, and what it remembers.
#include <QComboBox>
#include <QHBoxLayout>
#include <QInputDialog>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QShortcut>
#include <QSplitter>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include "core/base/json.h"
#include "ui/clip_details.h"
#include "ui/controls.h"
#include "ui/flow_layout.h"
#include "ui/library_grid.h"
#include "ui/library_panel.h"
#include "ui/library_search.h"
#include "ui/notice_bar.h"
#include "ui/saved_search_menu.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr const char* kViewKey = "library.view";
// Fields of the search line with few enough values to list.
const QStringList kCompletedFields{QStringLiteral("model"), QStringLiteral("method"), QStringLiteral("sampler"),
                                   QStringLiteral("device")};

QString text(const std::string& utf8) {
    return QString::fromStdString(utf8);
}

QStringList texts(const std::vector<std::string>& list) {
    QStringList result;
    for (const std::string& entry : list) {
        result.append(text(entry));
    }
    return result;
}

// What the panel offers to choose from; read in one go.
struct Choices {
    std::vector<store::Project> projects;
    std::vector<std::string> tags;
};

}  // namespace

void LibraryPanel::build() {
    m_grid = new LibraryGrid(*m_model, *m_thumbnails);
    m_details = new ClipDetails;
    m_pages = new QStackedWidget;
    m_pages->addWidget(m_grid);
    m_pages->addWidget(buildMessage());
    m_splitter = new QSplitter;
    m_splitter->addWidget(m_pages);
    m_splitter->addWidget(m_details);
    m_splitter->setStretchFactor(0, 3);
    m_splitter->setStretchFactor(1, 2);
    m_splitter->setChildrenCollapsible(true);
    m_pages->setMinimumSize(22 * kGrid, 16 * kGrid);
    m_details->setMinimumSize(32 * kGrid, 12 * kGrid);
    m_count = makeLabel(QString(), TextRole::Caption);
    m_count->setObjectName(QStringLiteral("libraryCount"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(2 * kGrid, kGrid, 2 * kGrid, kGrid / 2);
    column->setSpacing(kGrid);
    column->addWidget(buildHeader());
    column->addWidget(buildTrashBar());
    column->addWidget(m_splitter, 1);
    column->addWidget(buildBasket());
    column->addWidget(m_count);
    m_notice = new NoticeBar(this);
    auto* find = new QShortcut(QKeySequence::Find, this);
    find->setContext(Qt::WidgetWithChildrenShortcut);
    find->setWhatsThis(tr("Search"));
    connect(find, &QShortcut::activated, this, &LibraryPanel::focusSearch);
}

QWidget* LibraryPanel::buildHeader() {
    m_search = new LibrarySearch;
    m_saved = new SavedSearchMenu(m_library, [this] { return currentSearch(); });
    m_search->addControl(m_saved);
    m_projects = new QComboBox;
    m_projects->setAccessibleName(tr("Project"));
    m_projects->setToolTip(tr("Shows the clips of one project, which new clips join"));
    m_projects->addItem(tr("All projects"), 0);
    m_projects->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_projects->setMinimumContentsLength(9);
    m_order = new QComboBox;
    m_order->setAccessibleName(tr("Order"));
    m_order->setToolTip(tr("The order of the clips"));
    const std::initializer_list<std::pair<QString, store::ClipOrder>> orders = {
        {tr("Newest"), store::ClipOrder::Newest},
        {tr("Oldest"), store::ClipOrder::Oldest},
        {tr("Most stars"), store::ClipOrder::Stars},
        {tr("Longest"), store::ClipOrder::Longest},
        {tr("Prompt A–Z"), store::ClipOrder::Name}};
    for (const auto& [name, order] : orders) {
        m_order->addItem(name, static_cast<int>(order));
    }
    m_rows = makeIconButton(QStringLiteral("rows"), tr("Show as a list"), tr("Shows one clip in each line"));
    m_rows->setCheckable(true);
    m_trash = makeIconButton(QStringLiteral("trash"), tr("Trash"), tr("Shows the clips in the trash"));
    m_trash->setCheckable(true);
    auto* more = makeIconButton(QStringLiteral("menu"), tr("More"), tr("Projects, size of the tiles, trash"));
    auto* menu = new QMenu(more);
    more->setMenu(menu);
    more->setPopupMode(QToolButton::InstantPopup);
    connect(menu, &QMenu::aboutToShow, this, [this, menu] { fillMenu(menu); });
    auto* header = new QWidget;
    auto* column = new QVBoxLayout(header);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(kGrid);
    auto* row = new QHBoxLayout;
    row->setSpacing(kGrid / 2);
    // Side by side in a narrow panel, no wider than they need in a wide one.
    m_projects->setMaximumWidth(30 * kGrid);
    m_order->setMaximumWidth(22 * kGrid);
    row->addWidget(m_projects, 100);
    row->addWidget(m_order, 100);
    row->addStretch(1);
    row->addWidget(m_rows);
    row->addWidget(m_trash);
    row->addWidget(more);
    column->addWidget(m_search);
    column->addLayout(row);
    return header;
}

void LibraryPanel::fillMenu(QMenu* menu) {
    menu->clear();
    auto* sizes = menu->addMenu(tr("Size of the tiles"));
    const std::initializer_list<std::pair<QString, int>> widths = {
        {tr("Small"), 112}, {tr("Medium"), 168}, {tr("Large"), 256}};
    for (const auto& [name, width] : widths) {
        auto* action = sizes->addAction(name, this, [this, w = width] {
            m_grid->setTileWidth(w);
            remember();
        });
        action->setCheckable(true);
        action->setChecked(m_grid->tileWidth() == width);
    }
    menu->addSeparator();
    menu->addAction(tr("New project…"), this, [this] { newProject(false); });
    menu->addAction(tr("Rename this project…"), this, &LibraryPanel::renameProject)
        ->setEnabled(m_projects->currentData().toLongLong() != 0);
    menu->addSeparator();
    menu->addAction(tr("Empty the trash…"), this, &LibraryPanel::emptyTrash);
}

QWidget* LibraryPanel::buildTrashBar() {
    m_trashBar = new QWidget;
    auto* column = new QVBoxLayout(m_trashBar);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(kGrid);
    column->addWidget(makeLabel(tr("Clips wait in the trash until you delete them."), TextRole::Secondary, true));
    auto* row = new FlowLayout(kGrid);
    column->addLayout(row);
    m_restore = makeButton(tr("Restore"));
    m_restore->setToolTip(tr("Takes the selected clips out of the trash"));
    m_purge = makeButton(tr("Delete for good…"));
    m_purge->setToolTip(tr("Deletes the selected clips and their files"));
    row->addWidget(m_restore);
    row->addWidget(m_purge);
    connect(m_restore, &QPushButton::clicked, this, &LibraryPanel::restoreSelected);
    connect(m_purge, &QPushButton::clicked, this, [this] { purgeClips(m_grid->selectedIds()); });
    m_trashBar->hide();
    return m_trashBar;
}

QWidget* LibraryPanel::buildBasket() {
    m_basketBar = new QWidget;
    auto* row = new QHBoxLayout(m_basketBar);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(kGrid);
    m_basketText = makeLabel(QString(), TextRole::Secondary, true);
    m_compare = makeButton(tr("What differs…"));
    m_compare->setToolTip(tr("Shows the settings of the collected clips side by side"));
    auto* clear = makeIconButton(QStringLiteral("close"), tr("Forget the collected clips"), QString());
    connect(m_compare, &QPushButton::clicked, this, [this] { compare(m_basket); });
    connect(clear, &QToolButton::clicked, this, [this] {
        m_basket.clear();
        showBasket();
    });
    row->addWidget(m_basketText, 1);
    row->addWidget(m_compare);
    row->addWidget(clear);
    m_basketBar->hide();
    return m_basketBar;
}

QWidget* LibraryPanel::buildMessage() {
    auto* page = new QWidget;
    page->setObjectName(QStringLiteral("libraryMessage"));
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(3 * kGrid, 3 * kGrid, 3 * kGrid, 3 * kGrid);
    column->setSpacing(kGrid);
    m_messageTitle = makeLabel(QString(), TextRole::Heading, true);
    m_messageText = makeLabel(QString(), TextRole::Secondary, true);
    m_messageAction = makeButton(QString());
    for (QLabel* label : {m_messageTitle, m_messageText}) {
        label->setAlignment(Qt::AlignHCenter);
    }
    connect(m_messageAction, &QPushButton::clicked, this, [this] {
        m_projects->setCurrentIndex(0);
        m_search->setText(QString());
        startSearch();
        m_search->line()->setFocus();
    });
    column->addStretch(2);
    column->addWidget(m_messageTitle);
    column->addWidget(m_messageText);
    column->addWidget(m_messageAction, 0, Qt::AlignHCenter);
    column->addStretch(3);
    return page;
}

void LibraryPanel::showMessage(const QString& title, const QString& sentence, const QString& action) {
    m_messageTitle->setText(title);
    m_messageText->setText(sentence);
    m_messageAction->setText(action);
    m_messageAction->setAccessibleName(action);
    m_messageAction->setVisible(!action.isEmpty());
    m_pages->setCurrentIndex(1);
}

void LibraryPanel::updateChoices() {
    m_library.read(
        this,
        [](store::LibraryStore& store) {
            Choices choices;
            if (auto projects = store.projects()) {
                choices.projects = std::move(*projects);
            }
            if (auto tags = store.tags()) {
                choices.tags = std::move(*tags);
            }
            return choices;
        },
        [this](const Choices& choices) {
            const qint64 shown = m_projects->currentData().toLongLong();
            m_projectNames.clear();
            QStringList names;
            while (m_projects->count() > 1) {
                m_projects->removeItem(1);
            }
            for (const store::Project& project : choices.projects) {
                m_projects->addItem(text(project.name), QVariant::fromValue<qint64>(project.id));
                m_projectNames.insert(project.id, text(project.name));
                names.append(text(project.name));
            }
            m_projects->setCurrentIndex(std::max(0, m_projects->findData(QVariant::fromValue<qint64>(shown))));
            m_details->setKnownTags(texts(choices.tags));
            m_search->setValues(QStringLiteral("tag"), texts(choices.tags));
            m_search->setValues(QStringLiteral("project"), names);
            m_search->setValues(QStringLiteral("missing"), {QStringLiteral("yes"), QStringLiteral("no")});
            m_detailsTimer.start();
        });
}

store::SavedSearch LibraryPanel::currentSearch() const {
    return {{},
            m_search->text().trimmed().toStdString(),
            m_projects->currentData().toLongLong(),
            static_cast<store::ClipOrder>(m_order->currentData().toInt())};
}

void LibraryPanel::showSearch(const store::SavedSearch& search) {
    const auto show = [](QComboBox* box, const QVariant& value) {
        box->setCurrentIndex(std::max(0, box->findData(value)));
    };
    show(m_projects, QVariant::fromValue<qint64>(search.projectId));
    show(m_order, static_cast<int>(search.order));
    m_search->setText(text(search.text));
    startSearch();
    m_search->line()->setFocus();
}

// Only when somebody types the field: looking through all clips takes longer than a search.
void LibraryPanel::readValues(const QString& field) {
    if (!kCompletedFields.contains(field)) {
        return;
    }
    m_library.read(
        this, [name = field.toStdString()](store::LibraryStore& store) { return store.fieldValues(name); },
        [this, field](const Result<std::vector<std::string>>& values) {
            if (values) {
                m_search->setValues(field, texts(*values));
            }
        });
}

void LibraryPanel::forgetValues() {
    for (const QString& field : kCompletedFields) {
        m_search->forgetValues(field);
    }
}

void LibraryPanel::remember() {
    const Json view{
        {"rows", m_rows->isChecked()}, {"tile", m_grid->tileWidth()}, {"order", m_order->currentData().toInt()}};
    m_library.write(
        this, [view = view.dump()](store::LibraryStore& store) { return store.setSessionValue(kViewKey, view); },
        [](const Status&) {});  // a look that is not remembered is no reason to bother anyone
}

void LibraryPanel::restore() {
    m_library.read(
        this, [](store::LibraryStore& store) { return store.sessionValue(kViewKey); },
        [this](const Result<std::string>& value) {
            const Json view = value ? Json::parse(*value, nullptr, false) : Json();
            if (!view.is_object()) {
                return;
            }
            const auto number = [&](const char* key, int otherwise) {
                const auto found = view.find(key);
                return found != view.end() && found->is_number_integer() ? found->get<int>() : otherwise;
            };
            m_grid->setTileWidth(std::clamp(number("tile", 168), 80, 512));
            m_rows->setChecked(view.value("rows", Json()) == Json(true));
            if (const int order = m_order->findData(number("order", 0)); order > 0) {
                m_order->setCurrentIndex(order);
                startSearch();
            }
        });
}

}  // namespace fw::ui
