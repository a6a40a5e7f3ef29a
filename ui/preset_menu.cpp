#include "ui/preset_menu.h"

#include <QClipboard>
#include <QFile>
#include <QFileDialog>
#include <QGuiApplication>
#include <QInputDialog>
#include <QMenu>
#include <QMessageBox>
#include <QPushButton>
#include <QSaveFile>
#include <algorithm>

#include "core/job/clip_metadata.h"
#include "core/job/preset.h"
#include "ui/controls.h"
#include "ui/error_presenter.h"
#include "ui/icons.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr qint64 kMaxFileBytes = qint64{1} << 20;

}  // namespace

PresetMenu::PresetMenu(std::function<job::GenerationRequest()> current, QWidget* parent)
    : QToolButton(parent), m_current(std::move(current)), m_menu(new QMenu(this)) {
    setIcon(ui::icon(QStringLiteral("bookmark")));
    setIconSize(QSize(20, 20));
    setFixedSize(kControlHeight, kControlHeight);
    setAccessibleName(tr("Presets"));
    setToolTip(tr("Keep these settings under a name, use kept ones, or pass them on"));
    setFocusPolicy(Qt::StrongFocus);
    setPopupMode(QToolButton::InstantPopup);
    m_menu->setToolTipsVisible(true);
    setMenu(m_menu);
    connect(m_menu, &QMenu::aboutToShow, this, &PresetMenu::fillMenu);
}

void PresetMenu::setLibrary(app::LibraryService* library) {
    m_library = library;
    reload();
}

void PresetMenu::reload() {
    if (m_library == nullptr) {
        m_presets.clear();
        return;
    }
    // On the writer's lane, so that what was written before is seen.
    m_library->write(
        this, [](store::LibraryStore& s) { return s.presets(); },
        [this](Result<std::vector<store::Preset>> found) {
            if (found) {
                m_presets = std::move(*found);
                emit changed();
            }
        });
}

template <class Work>
void PresetMenu::change(Work work) {
    if (m_library == nullptr) {
        emit notice(PresetMenu::tr("Presets cannot be kept: no library is open."));
        return;
    }
    m_library->write(this, std::move(work), [this](const Status& done) {
        if (!done) {
            emit notice(asSentence(done.error().message));
        }
        reload();
    });
}

QStringList PresetMenu::names() const {
    QStringList names;
    for (const auto& preset : m_presets) {
        names.append(QString::fromStdString(preset.name));
    }
    return names;
}

std::optional<job::GenerationRequest> PresetMenu::find(const QString& name) const {
    const auto found = std::find_if(m_presets.begin(), m_presets.end(),
                                    [&](const store::Preset& preset) { return preset.name == name.toStdString(); });
    if (found == m_presets.end()) {
        return std::nullopt;
    }
    const auto json = job::parseUntrustedJson(found->requestJson);
    auto request = json ? job::requestFromJson(*json) : tl::unexpected(json.error());
    return request ? std::optional(std::move(*request)) : std::nullopt;
}

void PresetMenu::apply(const QString& name) {
    if (const auto request = find(name)) {
        emit applied(*request);
    } else {
        emit notice(tr("The preset “%1” cannot be read; delete it and save it anew.").arg(name));
    }
}

void PresetMenu::save(const QString& name) {
    const QString kept = name.simplified();
    if (kept.isEmpty() || kept.toUcs4().size() > static_cast<qsizetype>(job::kMaxPresetName)) {
        emit notice(tr("A preset needs a name of 1 to %1 characters.").arg(job::kMaxPresetName));
        return;
    }
    const store::Preset preset{kept.toStdString(), job::toJson(job::presetPart(m_current())).dump()};
    change([preset](store::LibraryStore& s) { return s.savePreset(preset); });
}

void PresetMenu::rename(const QString& from, const QString& to) {
    const QString kept = to.simplified();
    const auto found = std::find_if(m_presets.begin(), m_presets.end(),
                                    [&](const store::Preset& preset) { return preset.name == from.toStdString(); });
    if (found == m_presets.end() || kept == from) {
        return;
    }
    if (kept.isEmpty() || kept.toUcs4().size() > static_cast<qsizetype>(job::kMaxPresetName)) {
        emit notice(tr("A preset needs a name of 1 to %1 characters.").arg(job::kMaxPresetName));
        return;
    }
    if (names().contains(kept)) {
        emit notice(tr("There is a preset “%1” already; choose another name.").arg(kept));
        return;
    }
    const store::Preset renamed{kept.toStdString(), found->requestJson};
    change([renamed, old = from.toStdString()](store::LibraryStore& s) -> Status {
        FW_TRY(s.savePreset(renamed));
        return s.removePreset(old);
    });
}

void PresetMenu::remove(const QString& name) {
    const auto found = std::find_if(m_presets.begin(), m_presets.end(),
                                    [&](const store::Preset& preset) { return preset.name == name.toStdString(); });
    if (found == m_presets.end()) {
        return;
    }
    m_removed = *found;
    change([name = name.toStdString()](store::LibraryStore& s) { return s.removePreset(name); });
    emit notice(tr("Deleted the preset “%1”; the menu of presets can bring it back.").arg(name));
}

void PresetMenu::restoreRemoved() {
    if (m_removed) {
        change([preset = *m_removed](store::LibraryStore& s) { return s.savePreset(preset); });
        m_removed.reset();
    }
}

void PresetMenu::importText(const QByteArray& text) {
    const auto preset = job::presetFromText({text.constData(), static_cast<std::size_t>(text.size())});
    if (!preset) {
        emit notice(asSentence(preset.error().message));
        return;
    }
    emit applied(preset->request);
    if (m_library == nullptr) {
        return;
    }
    // A preset of the same name is not replaced by what somebody else sent.
    const QString wanted = QString::fromStdString(preset->name).simplified();
    QString name = wanted;
    for (int number = 2; names().contains(name); ++number) {
        name = QStringLiteral("%1 (%2)").arg(wanted).arg(number);
    }
    const store::Preset kept{name.toStdString(), job::toJson(preset->request).dump()};
    change([kept](store::LibraryStore& s) { return s.savePreset(kept); });
    emit notice(tr("Kept as the preset “%1”.").arg(name));
}

QByteArray PresetMenu::exportText(const QString& name) const {
    const auto request = find(name);
    return request ? QByteArray::fromStdString(job::presetText({name.toStdString(), *request})) : QByteArray();
}

void PresetMenu::fillMenu() {
    m_menu->clear();
    for (const QString& name : names()) {
        connect(m_menu->addAction(asMenuText(name)), &QAction::triggered, this, [this, name] { apply(name); });
    }
    if (m_presets.empty()) {
        m_menu->addAction(tr("No presets yet"))->setEnabled(false);
    }
    m_menu->addSeparator();
    auto* saveAs = m_menu->addAction(tr("Save these settings…"));
    saveAs->setEnabled(m_library != nullptr);
    connect(saveAs, &QAction::triggered, this, &PresetMenu::askAndSave);
    if (!m_presets.empty()) {
        auto* manage = m_menu->addMenu(tr("Manage"));
        for (const QString& name : names()) {
            addManagement(manage->addMenu(asMenuText(name)), name);
        }
    }
    if (m_removed) {
        connect(m_menu->addAction(tr("Bring back “%1”").arg(asMenuText(QString::fromStdString(m_removed->name)))),
                &QAction::triggered, this, &PresetMenu::restoreRemoved);
    }
    m_menu->addSeparator();
    connect(m_menu->addAction(tr("Open a file…")), &QAction::triggered, this, &PresetMenu::importFromFile);
    auto* paste = m_menu->addAction(tr("Paste"));
    paste->setToolTip(tr("Use a preset that somebody sent as text"));
    connect(paste, &QAction::triggered, this,
            [this] { importText(QGuiApplication::clipboard()->text().toUtf8()); });
    auto* copy = m_menu->addAction(tr("Copy these settings"));
    copy->setToolTip(tr("As text, to send to somebody"));
    connect(copy, &QAction::triggered, this, [this] {
        const auto text = job::presetText({tr("Settings").toStdString(), m_current()});
        QGuiApplication::clipboard()->setText(QString::fromStdString(text));
        emit notice(tr("The settings were copied as text."));
    });
}

void PresetMenu::addManagement(QMenu* menu, const QString& name) {
    connect(menu->addAction(tr("Rename…")), &QAction::triggered, this, [this, name] { askAndRename(name); });
    connect(menu->addAction(tr("Save to a file…")), &QAction::triggered, this,
            [this, name] { exportToFile(name); });
    connect(menu->addAction(tr("Copy as text")), &QAction::triggered, this,
            [this, name] { QGuiApplication::clipboard()->setText(QString::fromUtf8(exportText(name))); });
    connect(menu->addAction(tr("Delete")), &QAction::triggered, this, [this, name] { remove(name); });
}

void PresetMenu::askAndSave() {
    bool accepted = false;
    const QString name =
        QInputDialog::getText(window(), tr("Save preset"), tr("Name"), QLineEdit::Normal, QString(), &accepted)
            .simplified();
    if (!accepted) {
        return;
    }
    if (names().contains(name)) {
        QMessageBox box(QMessageBox::NoIcon, tr("Save preset"), tr("Replace the preset “%1”?").arg(name),
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

void PresetMenu::askAndRename(const QString& name) {
    bool accepted = false;
    const QString to =
        QInputDialog::getText(window(), tr("Rename preset"), tr("Name"), QLineEdit::Normal, name, &accepted);
    if (accepted) {
        rename(name, to);
    }
}

void PresetMenu::exportToFile(const QString& name) {
    QString suggested = name;
    suggested.replace(QLatin1Char('/'), QLatin1Char('_'));
    const QString path = QFileDialog::getSaveFileName(window(), tr("Save preset"),
                                                      suggested + QStringLiteral(".json"), tr("Presets (*.json)"));
    if (path.isEmpty()) {
        return;
    }
    const QByteArray text = exportText(name);
    QSaveFile file(path);
    if (text.isEmpty() || !file.open(QIODevice::WriteOnly) || file.write(text) != text.size() || !file.commit()) {
        emit notice(tr("%1 cannot be written: %2").arg(path, file.errorString()));
    }
}

void PresetMenu::importFromFile() {
    const QString path =
        QFileDialog::getOpenFileName(window(), tr("Open preset"), QString(), tr("Presets (*.json);;All files (*)"));
    if (path.isEmpty()) {
        return;
    }
    QFile file(path);
    if (!QFileInfo(path).isFile() || !file.open(QIODevice::ReadOnly)) {
        emit notice(tr("%1 cannot be read: %2").arg(path, file.errorString()));
        return;
    }
    importText(file.read(kMaxFileBytes));
}

}  // namespace fw::ui
