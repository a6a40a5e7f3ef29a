#include "ui/preferences.h"

#include <algorithm>

namespace fw::ui {
namespace {

const auto kAppearance = QStringLiteral("window/appearance");
const auto kLanguage = QStringLiteral("window/language");
const auto kPreviewEvery = QStringLiteral("preview/every");
const auto kPreviewShare = QStringLiteral("preview/share");
const auto kModelFolders = QStringLiteral("model/folders");
const auto kNotifies = QStringLiteral("window/notifies");
constexpr int kMostEvery = 50;
constexpr int kUsualShare = 5;
constexpr int kMostShare = 50;

}  // namespace

Preferences::Preferences(const QString& file, QObject* parent)
    : QObject(parent),
      m_settings(file.isEmpty() ? std::make_unique<QSettings>()
                                : std::make_unique<QSettings>(file, QSettings::IniFormat)) {}

void Preferences::set(const QString& key, const QVariant& value) {
    if (m_settings->value(key) != value) {
        m_settings->setValue(key, value);
        emit changed();
    }
}

ThemeChoice Preferences::appearance() const {
    const int choice = m_settings->value(kAppearance).toInt();
    return choice == static_cast<int>(ThemeChoice::Light)  ? ThemeChoice::Light
           : choice == static_cast<int>(ThemeChoice::Dark) ? ThemeChoice::Dark
                                                           : ThemeChoice::System;
}

void Preferences::setAppearance(ThemeChoice choice) {
    set(kAppearance, static_cast<int>(choice));
}

QString Preferences::language() const {
    return m_settings->value(kLanguage).toString();
}

void Preferences::setLanguage(const QString& language) {
    set(kLanguage, language);
}

int Preferences::previewEvery() const {
    return std::clamp(m_settings->value(kPreviewEvery, 1).toInt(), 1, kMostEvery);
}

void Preferences::setPreviewEvery(int steps) {
    set(kPreviewEvery, steps);
}

int Preferences::previewShare() const {
    return std::clamp(m_settings->value(kPreviewShare, kUsualShare).toInt(), 0, kMostShare);
}

void Preferences::setPreviewShare(int percent) {
    set(kPreviewShare, percent);
}

QStringList Preferences::modelFolders() const {
    return m_settings->value(kModelFolders).toStringList();
}

void Preferences::setModelFolders(const QStringList& folders) {
    set(kModelFolders, folders);
}

bool Preferences::notifies() const {
    return m_settings->value(kNotifies, true).toBool();
}

void Preferences::setNotifies(bool on) {
    set(kNotifies, on);
}

}  // namespace fw::ui
