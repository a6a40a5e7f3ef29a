#include "ui/library_search.h"

#include <QAbstractItemView>
#include <QAction>
#include <QCompleter>
#include <QFrame>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QStringListModel>
#include <QToolButton>
#include <QVBoxLayout>

#include "core/store/clip_query.h"
#include "ui/controls.h"
#include "ui/icons.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

// The word the cursor stands at the end of: [begin, cursor).
int wordBegin(const QString& text, int cursor) {
    bool quoted = false;
    int begin = 0;
    for (int i = 0; i < cursor; ++i) {
        if (text[i] == QLatin1Char('"')) {
            quoted = !quoted;
        } else if (!quoted && text[i].isSpace()) {
            begin = i + 1;
        }
    }
    return begin;
}

QString fieldMeaning(std::string_view name) {
    const QHash<QString, QString> meanings{{QStringLiteral("model"), LibrarySearch::tr("model's name")},
                                           {QStringLiteral("method"), LibrarySearch::tr("attention method")},
                                           {QStringLiteral("tag"), LibrarySearch::tr("has this tag")},
                                           {QStringLiteral("star"), LibrarySearch::tr("number of stars")},
                                           {QStringLiteral("project"), LibrarySearch::tr("project's name")},
                                           {QStringLiteral("date"), LibrarySearch::tr("day it was made")},
                                           {QStringLiteral("steps"), LibrarySearch::tr("denoising steps")},
                                           {QStringLiteral("guidance"), LibrarySearch::tr("guidance")},
                                           {QStringLiteral("seed"), LibrarySearch::tr("digits of the seed")},
                                           {QStringLiteral("sampler"), LibrarySearch::tr("sampler")},
                                           {QStringLiteral("frames"), LibrarySearch::tr("number of frames")},
                                           {QStringLiteral("width"), LibrarySearch::tr("pixels")},
                                           {QStringLiteral("height"), LibrarySearch::tr("pixels")},
                                           {QStringLiteral("seconds"), LibrarySearch::tr("time it took to make")},
                                           {QStringLiteral("device"), LibrarySearch::tr("device it ran on")},
                                           {QStringLiteral("missing"), LibrarySearch::tr("file is missing")}};
    return meanings.value(QString::fromLatin1(name.data(), static_cast<qsizetype>(name.size())));
}

QString latin(std::string_view text) {
    return QString::fromLatin1(text.data(), static_cast<qsizetype>(text.size()));
}

}  // namespace

LibrarySearch::LibrarySearch(QWidget* parent) : QWidget(parent) {
    m_line = new QLineEdit;
    m_line->setObjectName(QStringLiteral("librarySearch"));
    m_line->setPlaceholderText(tr("Search: words, model:mini, star:>=3 …"));
    m_line->setAccessibleName(tr("Search the clips"));
    m_line->setToolTip(tr("Words of the prompt, notes and tags, and terms such as steps:>20. Ctrl+F comes here."));
    m_line->setClearButtonEnabled(true);
    m_line->setMaxLength(1000);
    m_line->installEventFilter(this);
    auto* help = makeIconButton(QStringLiteral("help"), tr("How to search"), tr("What the search understands"));
    connect(help, &QToolButton::clicked, this, &LibrarySearch::showHelp);
    m_mistake = makeLabel(QString(), TextRole::Caption, true);
    m_mistake->setObjectName(QStringLiteral("searchMistake"));
    m_mistake->setProperty("tone", QStringLiteral("danger"));
    m_mistake->hide();
    m_row = new QHBoxLayout;
    m_row->setSpacing(kGrid / 2);
    m_row->addWidget(m_line, 1);
    m_row->addWidget(help);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(kGrid / 2);
    column->addLayout(m_row);
    column->addWidget(m_mistake);
    setFocusProxy(m_line);

    m_completions = new QStringListModel(this);
    m_completer = new QCompleter(m_completions, this);
    m_completer->setWidget(m_line);
    m_completer->setCompletionMode(QCompleter::PopupCompletion);
    m_completer->setCaseSensitivity(Qt::CaseInsensitive);
    connect(m_completer, qOverload<const QString&>(&QCompleter::activated), this, &LibrarySearch::insertCompletion);
    connect(m_line, &QLineEdit::textChanged, this, &LibrarySearch::textChanged);
    connect(m_line, &QLineEdit::textEdited, this, &LibrarySearch::complete);
}

void LibrarySearch::addControl(QWidget* control) {
    m_row->insertWidget(m_row->count() - 1, control);
    setTabOrder(m_line, control);
}

QString LibrarySearch::text() const {
    return m_line->text();
}

void LibrarySearch::setText(const QString& text) {
    m_line->setText(text);
}

void LibrarySearch::setValues(const QString& field, const QStringList& values) {
    const bool awaited = m_values.contains(field) && m_values[field].isEmpty() && !values.isEmpty();
    m_values.insert(field, values);
    if (awaited && m_line->hasFocus()) {
        complete();
    }
}

QString LibrarySearch::mistake() const {
    return m_mistake->text();
}

void LibrarySearch::textChanged() {
    const std::string line = m_line->text().toStdString();
    const auto mistake = store::findMistake(line);
    if (!mistake) {
        m_mistake->clear();
        m_mistake->hide();
        setInvalid(m_line, false);
        m_understood = m_line->text();
        emit searched();
        return;
    }
    // The rest of the line is searched for meanwhile.
    const std::string rest = line.substr(0, mistake->begin) + line.substr(mistake->end);
    if (!store::findMistake(rest)) {
        m_understood = QString::fromStdString(rest);
        emit searched();
    }
    // Where: in characters, as a person counts.
    const auto before = QString::fromUtf8(line.data(), static_cast<qsizetype>(mistake->begin)).size();
    QString message = QString::fromStdString(mistake->message);
    message[0] = message[0].toUpper();
    m_mistake->setText(tr("At character %1: %2.").arg(before + 1).arg(message));
    m_mistake->show();
    // A term that ends with the line may simply not be finished.
    const bool unfinished = mistake->end == line.size() && line.ends_with(':');
    setInvalid(m_line, !unfinished);
    setStyleProperty(m_mistake, "tone", unfinished ? QStringLiteral("secondary") : QStringLiteral("danger"));
}

void LibrarySearch::complete() {
    const int cursor = m_line->cursorPosition();
    QString word = m_line->text().left(cursor).mid(wordBegin(m_line->text(), cursor));
    const QString minus = word.startsWith(QLatin1Char('-')) ? QStringLiteral("-") : QString();
    word.remove(0, minus.size());
    const auto colon = word.indexOf(QLatin1Char(':'));
    QStringList list;
    if (colon > 0) {
        const QString field = word.left(colon).toLower();
        if (!m_values.contains(field)) {
            m_values.insert(field, {});  // asked for once
            emit valuesWanted(field);
        }
        for (const QString& value : m_values.value(field)) {
            list.append(minus + field + QLatin1Char(':') +
                        (value.contains(QLatin1Char(' ')) ? QStringLiteral("\"%1\"").arg(value) : value));
        }
    } else if (word.size() >= 2) {
        for (const store::QueryField& field : store::queryFields()) {
            list.append(minus + latin(field.name) + QLatin1Char(':'));
        }
    }
    const QString prefix = minus + QString(word).remove(QLatin1Char('"'));
    list.removeIf([&](const QString& entry) {
        return !QString(entry).remove(QLatin1Char('"')).startsWith(prefix, Qt::CaseInsensitive) || entry == prefix;
    });
    m_completions->setStringList(list);
    m_completer->setCompletionPrefix(QString());
    if (list.isEmpty()) {
        m_completer->popup()->hide();
        return;
    }
    QRect place(m_line->fontMetrics().horizontalAdvance(m_line->text().left(wordBegin(m_line->text(), cursor))), 0,
                0, m_line->height());
    place.setWidth(28 * kGrid);
    m_completer->complete(place);
}

void LibrarySearch::insertCompletion(const QString& completion) {
    const int cursor = m_line->cursorPosition();
    const int begin = wordBegin(m_line->text(), cursor);
    const QString end = completion.endsWith(QLatin1Char(':')) ? QString() : QStringLiteral(" ");
    m_line->setText(m_line->text().left(begin) + completion + end + m_line->text().mid(cursor).trimmed());
    m_line->setCursorPosition(begin + static_cast<int>((completion + end).size()));
    if (end.isEmpty()) {
        complete();  // the values of the field
    }
}

bool LibrarySearch::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_line && event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        if (key->key() == Qt::Key_Escape && !m_line->text().isEmpty()) {
            m_line->clear();
            return true;
        }
        if (key->key() == Qt::Key_Down || key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter) {
            emit leftDown();
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

void LibrarySearch::showHelp() {
    auto* popup = new QFrame(this, Qt::Popup);
    popup->setObjectName(QStringLiteral("popover"));
    popup->setAttribute(Qt::WA_DeleteOnClose);
    popup->setAccessibleName(tr("What the search understands"));
    auto* grid = new QGridLayout(popup);
    grid->setContentsMargins(2 * kGrid, 2 * kGrid, 2 * kGrid, 2 * kGrid);
    grid->setHorizontalSpacing(2 * kGrid);
    grid->setVerticalSpacing(0);
    grid->addWidget(
        makeLabel(tr("Words are looked for in prompts, notes and tags; the last letters may be missing. "
                     "“Several words” in quotes belong together, a minus sign excludes."),
                  TextRole::Body, true),
        0, 0, 1, 4);
    grid->setRowMinimumHeight(1, kGrid);
    int at = 0;
    for (const store::QueryField& field : store::queryFields()) {
        const QString example = latin(field.example);
        auto* button = makeButton(example, QStringLiteral("link"));
        button->setToolTip(tr("Add %1 to the search").arg(example));
        connect(button, &QPushButton::clicked, popup, [this, popup, example] {
            const QString before = m_line->text().trimmed();
            popup->close();
            m_line->setText(before.isEmpty() ? example : before + QLatin1Char(' ') + example);
            m_line->setFocus();
        });
        const int line = 2 + at / 2;
        grid->addWidget(button, line, at % 2 * 2);
        grid->addWidget(makeLabel(fieldMeaning(field.name), TextRole::Secondary), line, at % 2 * 2 + 1);
        ++at;
    }
    popup->adjustSize();
    popup->move(m_line->mapToGlobal(QPoint(0, m_line->height() + 2)));
    popup->show();
}

}  // namespace fw::ui
