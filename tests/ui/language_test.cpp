// Translations are complete and say the same: nothing unfinished, placeholders kept, as many plural forms as the
// language has; and the window gets them.
#include <QApplication>
#include <QComboBox>
#include <QFile>
#include <QLabel>
#include <QRegularExpression>
#include <QSet>
#include <QTemporaryDir>
#include <QTest>
#include <QTranslator>
#include <QXmlStreamReader>
#include <algorithm>

#include "ui/language.h"
#include "ui/preferences.h"
#include "ui/settings_dialog.h"

namespace fw::ui::test {
namespace {

struct Entry {
    QString context, source;
    QStringList forms;  // one, or as many as the language has plural forms
    QString type;       // "unfinished", "vanished", "obsolete"; empty: in order
    bool plural = false;
};

Entry readMessage(QXmlStreamReader& xml, const QString& context) {
    Entry entry;
    entry.context = context;
    entry.plural = xml.attributes().value(QLatin1String("numerus")) == QLatin1String("yes");
    while (xml.readNextStartElement()) {
        if (xml.name() == QLatin1String("source")) {
            entry.source = xml.readElementText();
        } else if (xml.name() == QLatin1String("translation")) {
            entry.type = xml.attributes().value(QLatin1String("type")).toString();
            if (!entry.plural) {
                entry.forms = {xml.readElementText()};
                continue;
            }
            while (xml.readNextStartElement()) {
                entry.forms.append(xml.readElementText());
            }
        } else {
            xml.skipCurrentElement();
        }
    }
    return entry;
}

// Empty where the file cannot be read.
QList<Entry> readTranslations(const QString& code) {
    QFile file(QStringLiteral(FW_SOURCE_DIR "/resources/translations/framewright_%1.ts").arg(code));
    if (!file.open(QIODevice::ReadOnly)) {
        return {};
    }
    QXmlStreamReader xml(&file);
    QList<Entry> entries;
    QString context;
    xml.readNextStartElement();  // TS
    while (xml.readNextStartElement()) {
        while (xml.readNextStartElement()) {
            if (xml.name() == QLatin1String("name")) {
                context = xml.readElementText();
            } else if (xml.name() == QLatin1String("message")) {
                entries.append(readMessage(xml, context));
            } else {
                xml.skipCurrentElement();
            }
        }
    }
    return xml.hasError() ? QList<Entry>() : entries;
}

// What a translation has to keep: placeholders, patterns of files, line breaks, mnemonics, sorted.
QStringList keptParts(const QString& sentence) {
    static const QRegularExpression part(QStringLiteral("%(?:[0-9]+|n)|\\*\\.[a-z0-9]+|\\n|&(?=\\S)|;;"));
    QStringList parts;
    for (auto found = part.globalMatch(sentence); found.hasNext();) {
        parts.append(found.next().captured());
    }
    parts.sort();
    return parts;
}

QString keyOf(const Entry& entry) {
    return entry.context + QLatin1Char('\x1f') + entry.source;
}

QSet<QString> keysOf(const QList<Entry>& entries) {
    QSet<QString> keys;
    for (const Entry& entry : entries) {
        keys.insert(keyOf(entry));
    }
    return keys;
}

}  // namespace

class LanguageTest : public QObject {
    Q_OBJECT

 private slots:
    void initTestCase() { QLocale::setDefault(QLocale::c()); }

    void everyTextIsTranslated_data() {
        QTest::addColumn<int>("forms");
        QTest::newRow("en") << 2;
        QTest::newRow("zh_CN") << 1;
        QTest::newRow("ru") << 3;
    }
    void everyTextIsTranslated() {
        QFETCH(int, forms);
        const QList<Entry> entries = readTranslations(QString::fromLatin1(QTest::currentDataTag()));
        QVERIFY(!entries.isEmpty());
        for (const Entry& entry : entries) {
            const QByteArray name = (entry.context + QStringLiteral(": ") + entry.source).toUtf8();
            // A context without its namespace (lupdate without -I) would never be found by tr().
            QVERIFY2(entry.context.startsWith(QLatin1String("fw::")), name.constData());
            QVERIFY2(entry.type.isEmpty(), (name + " is " + entry.type.toUtf8()).constData());
            QVERIFY2(entry.forms.size() == (entry.plural ? forms : 1), name.constData());
            for (const QString& form : entry.forms) {
                QVERIFY2(!form.isEmpty(), name.constData());
                QVERIFY2(keptParts(form) == keptParts(entry.source), (name + " -> " + form.toUtf8()).constData());
                QVERIFY2(form.startsWith(QLatin1Char(' ')) == entry.source.startsWith(QLatin1Char(' ')),
                         name.constData());
                QVERIFY2(form.endsWith(QChar(0x2026)) == entry.source.endsWith(QChar(0x2026)), name.constData());
            }
        }
    }

    void languagesHaveTheSameTexts() {
        const QList<Entry> chinese = readTranslations(QStringLiteral("zh_CN"));
        QCOMPARE(keysOf(chinese), keysOf(readTranslations(QStringLiteral("ru"))));
        QSet<QString> plurals;
        for (const Entry& entry : chinese) {
            if (entry.plural) {
                plurals.insert(keyOf(entry));
            }
        }
        QCOMPARE(keysOf(readTranslations(QStringLiteral("en"))), plurals);
    }

    void everyLanguageIsEmbedded() {
        for (const Language& language : languages()) {
            QTranslator translator;
            QVERIFY2(translator.load(QStringLiteral(":/i18n/framewright_%1").arg(language.code)),
                     qPrintable(language.code));
            QCOMPARE(translator.language(), language.code);
        }
    }

    void languageIsKept() {
        QTemporaryDir folder;
        const QString file = folder.filePath(QStringLiteral("settings.ini"));
        {
            Preferences preferences(file);
            QCOMPARE(preferences.language(), systemLanguage());
            preferences.setLanguage(QStringLiteral("ru"));
        }
        Preferences preferences(file);
        QCOMPARE(preferences.language(), QStringLiteral("ru"));
        preferences.setLanguage(QStringLiteral("../../tlh"));
        QCOMPARE(preferences.language(), systemLanguage());
    }

    void dialogSaysWhenTheLanguageChanges() {
        QTemporaryDir folder;
        Preferences preferences(folder.filePath(QStringLiteral("settings.ini")));
        SettingsDialog dialog(preferences, folder.path());
        QComboBox* choice = nullptr;
        for (QComboBox* box : dialog.findChildren<QComboBox*>()) {
            choice = box->findData(QStringLiteral("zh_CN")) >= 0 ? box : choice;
        }
        QVERIFY(choice != nullptr);
        const auto remark = [&dialog] {
            const auto labels = dialog.findChildren<QLabel*>();
            return std::any_of(labels.begin(), labels.end(), [](const QLabel* label) {
                return !label->isHidden() && label->text().contains(QLatin1String("started again"));
            });
        };
        QVERIFY(!remark());
        choice->setCurrentIndex(choice->findData(QStringLiteral("zh_CN")));
        emit choice->activated(choice->currentIndex());
        QCOMPARE(preferences.language(), QStringLiteral("zh_CN"));
        QVERIFY(remark());
    }

    // Last: what is installed stays.
    void textsAndPluralsFollowTheLanguage() {
        const auto queue = [] { return QCoreApplication::translate("fw::ui::MainWindow", "Queue"); };
        const auto selected = [](int count) {
            return QCoreApplication::translate("fw::ui::ClipDetails", "%n clips selected", nullptr, count);
        };
        QCOMPARE(installLanguage(*qApp, QStringLiteral("en")), QStringLiteral("en"));
        QCOMPARE(queue(), QStringLiteral("Queue"));
        QCOMPARE(selected(1), QStringLiteral("1 clip selected"));
        QCOMPARE(selected(2), QStringLiteral("2 clips selected"));
        QCOMPARE(installLanguage(*qApp, QStringLiteral("ru")), QStringLiteral("ru"));
        QCOMPARE(queue(), QStringLiteral("Очередь"));
        QCOMPARE(selected(21), QStringLiteral("Выбран 21 клип"));
        QCOMPARE(selected(3), QStringLiteral("Выбрано 3 клипа"));
        QCOMPARE(selected(11), QStringLiteral("Выбрано 11 клипов"));
        QCOMPARE(QLocale().language(), QLocale::Russian);
        QCOMPARE(installLanguage(*qApp, QStringLiteral("zh_CN")), QStringLiteral("zh_CN"));
        QCOMPARE(queue(), QStringLiteral("队列"));
        QCOMPARE(selected(3), QStringLiteral("已选择 3 个视频"));
    }
};

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::LanguageTest)
#include "language_test.moc"
