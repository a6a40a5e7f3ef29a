// The button of presets: settings kept under a name, passed on as JSON by file or clipboard.
#pragma once

#include <QToolButton>
#include <functional>
#include <optional>
#include <vector>

#include "app/library/library_service.h"
#include "core/job/generation_request.h"

class QMenu;

namespace fw::ui {

class PresetMenu : public QToolButton {
    Q_OBJECT

 public:
    // `current`: the form as it stands, for saving and copying.
    explicit PresetMenu(std::function<job::GenerationRequest()> current, QWidget* parent = nullptr);

    // `library` outlives the button; null: presets can only be copied and pasted.
    void setLibrary(app::LibraryService* library);

    // Each answers with changed() or with notice() and the reason.
    void save(const QString& name);  // the form, replacing a preset of that name
    void rename(const QString& from, const QString& to);
    void remove(const QString& name);
    void restoreRemoved();
    // Text of unknown origin: applied, and kept under its name.
    void importText(const QByteArray& text);
    // Empty when there is no such preset.
    [[nodiscard]] QByteArray exportText(const QString& name) const;
    [[nodiscard]] QStringList names() const;
    void apply(const QString& name);

 signals:
    void applied(const fw::job::GenerationRequest& request);
    void notice(const QString& sentence);
    void changed();  // names()

 private:
    void reload();
    void fillMenu();
    void addManagement(QMenu* menu, const QString& name);
    void askAndSave();
    void askAndRename(const QString& name);
    void exportToFile(const QString& name);
    void importFromFile();
    [[nodiscard]] std::optional<job::GenerationRequest> find(const QString& name) const;
    // Runs `work` (LibraryStore& → Status) and reloads, or says why it failed.
    template <class Work>
    void change(Work work);

    std::function<job::GenerationRequest()> m_current;
    app::LibraryService* m_library = nullptr;
    std::vector<store::Preset> m_presets;
    std::optional<store::Preset> m_removed;
    QMenu* m_menu;
};

}  // namespace fw::ui
