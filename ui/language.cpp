#include "ui/language.h"

#include <QCoreApplication>
#include <QLibraryInfo>
#include <QLocale>
#include <QTranslator>
#include <algorithm>

namespace fw::ui {
namespace {

const auto kFolder = QStringLiteral(":/i18n");
const auto kFallback = QStringLiteral("en");  // holds plural forms only: the rest is the source text

}  // namespace

QString systemLanguage() {
    return QStringLiteral("system");
}

QList<Language> languages() {
    return {{QStringLiteral("en"), QStringLiteral("English")},
            {QStringLiteral("zh_CN"), QStringLiteral("中文")},
            {QStringLiteral("ru"), QStringLiteral("Русский")}};
}

bool isLanguage(const QString& code) {
    const auto known = languages();
    return code == systemLanguage() ||
           std::any_of(known.begin(), known.end(), [&](const Language& language) { return language.code == code; });
}

QString installLanguage(QCoreApplication& application, const QString& code) {
    const bool chosen = code != systemLanguage();
    const QLocale wanted = chosen ? QLocale(code) : QLocale::system();
    const auto name = QStringLiteral("framewright");
    const auto separator = QStringLiteral("_");
    auto* own = new QTranslator(&application);
    if (!own->load(wanted, name, separator, kFolder) && !own->load(name + separator + kFallback, kFolder)) {
        qWarning("The texts in %s are missing from this program.", qPrintable(code));
    }
    const QString found = own->language().isEmpty() ? kFallback : own->language();
    if (chosen) {
        QLocale::setDefault(wanted);
    }
    auto* qt = new QTranslator(&application);
    if (qt->load(QLocale(found), QStringLiteral("qtbase"), separator,
                 QLibraryInfo::path(QLibraryInfo::TranslationsPath))) {
        QCoreApplication::installTranslator(qt);
    }
    QCoreApplication::installTranslator(own);  // last: asked first
    return found;
}

}  // namespace fw::ui
