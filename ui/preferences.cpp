#include "ui/preferences.h"

#include <algorithm>

#include "ui/language.h"

namespace fw::ui {
namespace {

const auto kAppearance = QStringLiteral("window/appearance");
const auto kLanguage = QStringLiteral("window/language");
const auto kModelFolders = QStringLiteral("models/folders");
const auto kPreviewSteps = QStringLiteral("preview/steps");
const auto kPreviewPercent = QStringLiteral("preview/percent");
const auto kNotifies = QStringLiteral("window/notifies");

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
    const QString code = m_settings->value(kLanguage).toString();
    return isLanguage(code) ? code : systemLanguage();
}

void Preferences::setLanguage(const QString& code) {
    set(kLanguage, code);
}

bool Preferences::notifies() const {
    return m_settings->value(kNotifies, true).toBool();
}

void Preferences::setNotifies(bool on) {
    set(kNotifies, on);
}

QStringList Preferences::modelFolders() const {
    return m_settings->value(kModelFolders).toStringList();
}

void Preferences::setModelFolders(const QStringList& folders) {
    set(kModelFolders, folders);
}

int Preferences::previewSteps() const {
    return std::clamp(m_settings->value(kPreviewSteps, 1).toInt(), 1, kMostPreviewSteps);
}

void Preferences::setPreviewSteps(int steps) {
    set(kPreviewSteps, steps);
}

int Preferences::previewPercent() const {
    return std::clamp(m_settings->value(kPreviewPercent, 5).toInt(), 1, kMostPreviewPercent);
}

void Preferences::setPreviewPercent(int percent) {
    set(kPreviewPercent, percent);
}

}  // namespace fw::ui
