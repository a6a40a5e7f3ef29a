// The button of saved searches: a search line, its project and its order, kept under a name in the library.
#pragma once

#include <QStringList>
#include <QToolButton>
#include <functional>
#include <optional>
#include <vector>

#include "app/library/library_service.h"
#include "core/store/records.h"

class QMenu;

namespace fw::ui {

class SavedSearchMenu : public QToolButton {
    Q_OBJECT

 public:
    static constexpr int kMostCharacters = 100;  // of a name

    // `library` outlives the button. `current`: what is searched for now; its name is not looked at.
    SavedSearchMenu(app::LibraryService& library, std::function<store::SavedSearch()> current,
                    QWidget* parent = nullptr);

    // Each answers with changed(), or with notice() and the reason.
    void save(const QString& name);  // what is searched for now, replacing a search of that name
    void rename(const QString& from, const QString& to);
    void remove(const QString& name);
    void restoreRemoved();
    void apply(const QString& name);
    [[nodiscard]] QStringList names() const;

 signals:
    void applied(const fw::store::SavedSearch& search);
    void notice(const QString& sentence);
    void changed();  // names()

 private:
    void reload();
    void fillMenu();
    void askAndSave();
    void askAndRename(const QString& name);
    [[nodiscard]] const store::SavedSearch* find(const QString& name) const;
    // Runs `work` (LibraryStore& → Status) and reloads, or says why it failed.
    template <class Work>
    void change(Work work);

    app::LibraryService& m_library;
    std::function<store::SavedSearch()> m_current;
    std::vector<store::SavedSearch> m_searches;
    std::optional<store::SavedSearch> m_removed;
    QMenu* m_menu;
};

}  // namespace fw::ui
