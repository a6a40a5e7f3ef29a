#include "ui/saved_search_menu.h"

#include <QInputDialog>
#include <QMenu>
#include <QMessageBox>
#include <QPushButton>
#include <algorithm>
#include <utility>

#include "ui/controls.h"
#include "ui/error_presenter.h"
#include "ui/icons.h"
#include "ui/theme.h"

namespace fw::ui {

SavedSearchMenu::SavedSearchMenu(app::LibraryService& library, std::function<store::SavedSearch()> current,
                                 QWidget* parent)
    : QToolButton(parent), m_library(library), m_current(std::move(current)), m_menu(new QMenu(this)) {
    setIcon(ui::icon(QStringLiteral("bookmark")));
    setIconSize(QSize(20, 20));
    setFixedSize(kControlHeight, kControlHeight);
    setAccessibleName(tr("Saved searches"));
    setToolTip(tr("Keep this search under a name, or use a kept one"));
    setFocusPolicy(Qt::StrongFocus);
    setPopupMode(QToolButton::InstantPopup);
    m_menu->setToolTipsVisible(true);
    setMenu(m_menu);
    connect(m_menu, &QMenu::aboutToShow, this, &SavedSearchMenu::fillMenu);
    reload();
}

void SavedSearchMenu::reload() {
    // On the writer's lane, so that what was written before is seen.
    m_library.write(
        this, [](store::LibraryStore& store) { return store.savedSearches(); },
        [this](Result<std::vector<store::SavedSearch>> found) {
            if (found) {
                m_searches = std::move(*found);
                emit changed();
            }
        });
}

template <class Work>
void SavedSearchMenu::change(Work work) {
    m_library.write(this, std::move(work), [this](const Status& done) {
        if (!done) {
            emit notice(asSentence(done.error().message));
        }
        reload();
    });
}

QStringList SavedSearchMenu::names() const {
    QStringList names;
    for (const auto& search : m_searches) {
        names.append(QString::fromStdString(search.name));
    }
    return names;
}

const store::SavedSearch* SavedSearchMenu::find(const QString& name) const {
    const auto found = std::find_if(m_searches.begin(), m_searches.end(),
                                    [&](const auto& search) { return search.name == name.toStdString(); });
    return found != m_searches.end() ? &*found : nullptr;
}

void SavedSearchMenu::apply(const QString& name) {
    if (const auto* search = find(name)) {
        emit applied(*search);
    }
}

void SavedSearchMenu::save(const QString& name) {
    store::SavedSearch search = m_current();
    search.name = name.simplified().left(kMostCharacters).toStdString();
    change([search](store::LibraryStore& store) { return store.saveSearch(search); });
}

void SavedSearchMenu::rename(const QString& from, const QString& to) {
    const QString kept = to.simplified().left(kMostCharacters);
    if (find(from) != nullptr && kept != from) {
        change([from = from.toStdString(), kept = kept.toStdString()](store::LibraryStore& store) {
            return store.renameSearch(from, kept);
        });
    }
}

void SavedSearchMenu::remove(const QString& name) {
    if (const auto* search = find(name)) {
        m_removed = *search;
        change([name = search->name](store::LibraryStore& store) { return store.removeSearch(name); });
        emit notice(tr("Deleted the search “%1”; the menu of saved searches can bring it back.").arg(name));
    }
}

void SavedSearchMenu::restoreRemoved() {
    if (const auto removed = std::exchange(m_removed, std::nullopt)) {
        change([search = *removed](store::LibraryStore& store) { return store.saveSearch(search); });
    }
}

void SavedSearchMenu::fillMenu() {
    m_menu->clear();
    for (const auto& search : m_searches) {
        const QString name = QString::fromStdString(search.name);
        auto* action = m_menu->addAction(asMenuText(name), this, [this, name] { apply(name); });
        action->setToolTip(asToolTip(search.text.empty() ? name : QString::fromStdString(search.text)));
    }
    if (m_searches.empty()) {
        m_menu->addAction(tr("No saved searches yet"))->setEnabled(false);
    }
    m_menu->addSeparator();
    const store::SavedSearch current = m_current();
    auto* save = m_menu->addAction(tr("Save this search…"), this, &SavedSearchMenu::askAndSave);
    save->setEnabled(!current.text.empty() || current.projectId != 0);
    save->setToolTip(tr("With its project and its order"));
    if (!m_searches.empty()) {
        auto* manage = m_menu->addMenu(tr("Manage"));
        for (const QString& name : names()) {
            auto* one = manage->addMenu(asMenuText(name));
            one->addAction(tr("Rename…"), this, [this, name] { askAndRename(name); });
            one->addAction(tr("Delete"), this, [this, name] { remove(name); });
        }
    }
    if (m_removed) {
        m_menu->addAction(tr("Bring back “%1”").arg(asMenuText(QString::fromStdString(m_removed->name))), this,
                          &SavedSearchMenu::restoreRemoved);
    }
}

void SavedSearchMenu::askAndSave() {
    bool accepted = false;
    const QString suggested = QString::fromStdString(m_current().text).simplified().left(kMostCharacters);
    const QString name =
        QInputDialog::getText(window(), tr("Save search"), tr("Name"), QLineEdit::Normal, suggested, &accepted)
            .simplified()
            .left(kMostCharacters);
    if (!accepted || name.isEmpty()) {
        return;
    }
    if (names().contains(name, Qt::CaseInsensitive)) {
        QMessageBox box(QMessageBox::NoIcon, tr("Save search"), tr("Replace the search “%1”?").arg(name),
                        QMessageBox::NoButton, window());
        const QAbstractButton* replace = box.addButton(tr("Replace"), QMessageBox::AcceptRole);
        box.setDefaultButton(box.addButton(tr("Keep it"), QMessageBox::RejectRole));
        box.exec();
        if (box.clickedButton() != replace) {
            return;
        }
    }
    save(name);
}

void SavedSearchMenu::askAndRename(const QString& name) {
    bool accepted = false;
    const QString to =
        QInputDialog::getText(window(), tr("Rename search"), tr("Name"), QLineEdit::Normal, name, &accepted);
    if (accepted && !to.simplified().isEmpty()) {
        rename(name, to);
    }
}

}  // namespace fw::ui
