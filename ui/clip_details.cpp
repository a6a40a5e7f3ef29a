#include "ui/clip_details.h"

#include <QCompleter>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QStackedLayout>
#include <QStringListModel>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "ui/clip_settings.h"
#include "ui/controls.h"
#include "ui/flow_layout.h"
#include "ui/formats.h"
#include "ui/star_field.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kNotesPauseMs = 700;
constexpr qsizetype kMostShown = 600;  // characters of one value
constexpr int kMostColumns = 3;        // clips side by side in what differs

QString text(const std::string& utf8) {
    return QString::fromStdString(utf8);
}

// Gives way sideways and grows downwards.
void makeYielding(QLabel* label) {
    QSizePolicy policy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    policy.setHeightForWidth(true);
    label->setSizePolicy(policy);
}

QWidget* valueWidget(const QString& name, const QString& value) {
    // Hashes and paths have no blanks to break at, and are there to be copied: a line that scrolls.
    constexpr int kLongWord = 24;
    if (value.size() > kLongWord && !value.contains(QLatin1Char(' '))) {
        auto* line = new QLineEdit(value);
        line->setObjectName(QStringLiteral("plainValue"));
        line->setReadOnly(true);
        line->setFrame(false);
        line->setCursorPosition(0);
        line->setAccessibleName(name);
        line->setToolTip(asToolTip(value.left(kMostShown)));
        line->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
        return line;
    }
    auto* label = makeLabel(value.left(kMostShown), TextRole::Body, true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    label->setAccessibleName(name);
    label->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    makeYielding(label);
    return label;
}

}  // namespace

ClipDetails::ClipDetails(QWidget* parent) : QScrollArea(parent) {
    setObjectName(QStringLiteral("clipDetails"));
    setAccessibleName(tr("Details of the selected clips"));
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
    m_notesTimer.setSingleShot(true);
    m_notesTimer.setInterval(kNotesPauseMs);
    connect(&m_notesTimer, &QTimer::timeout, this, &ClipDetails::flushNotes);
    build();
    showNothing();
}

void ClipDetails::build() {
    auto* page = new QWidget;
    auto* outer = new QVBoxLayout(page);
    outer->setContentsMargins(2 * kGrid, 2 * kGrid, 2 * kGrid, 2 * kGrid);
    m_empty = makeLabel(tr("Select a clip to see what made it."), TextRole::Secondary, true);
    outer->addWidget(m_empty);
    m_content = new QWidget;
    outer->addWidget(m_content);
    outer->addStretch(1);
    auto* column = new QVBoxLayout(m_content);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(kGrid);
    m_title = makeLabel(QString(), TextRole::Heading, true);
    m_prompt = makeLabel(QString(), TextRole::Body, true);
    m_prompt->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_prompt->setAccessibleName(tr("Prompt of the clip"));
    makeYielding(m_prompt);
    m_missing = makeLabel(QString(), TextRole::Body, true);
    m_missing->setProperty("tone", QStringLiteral("danger"));
    m_stars = new StarField;
    connect(m_stars, &StarField::starsChosen, this, &ClipDetails::starsChosen);

    auto* tagBox = new QWidget;
    m_tags = new FlowLayout(kGrid / 2);
    tagBox->setLayout(m_tags);
    m_newTag = new QLineEdit;
    m_newTag->setPlaceholderText(tr("Add a tag"));
    m_newTag->setAccessibleName(tr("Add a tag"));
    m_newTag->setToolTip(tr("Write a tag and press Enter"));
    m_newTag->setMaxLength(100);
    m_knownTags = new QStringListModel(this);
    auto* completer = new QCompleter(m_knownTags, this);
    completer->setCaseSensitivity(Qt::CaseInsensitive);
    completer->setFilterMode(Qt::MatchContains);
    m_newTag->setCompleter(completer);
    connect(m_newTag, &QLineEdit::returnPressed, this, [this] {
        const QString tag = m_newTag->text().simplified();
        if (!tag.isEmpty()) {
            emit tagAdded(tag);
        }
        // The completer writes its choice after this.
        QMetaObject::invokeMethod(m_newTag, &QLineEdit::clear, Qt::QueuedConnection);
    });

    m_notes = new QPlainTextEdit;
    m_notes->setPlaceholderText(tr("Notes"));
    m_notes->setAccessibleName(tr("Notes"));
    m_notes->setToolTip(tr("Saved while you write; the search finds them"));
    m_notes->setTabChangesFocus(true);
    m_notes->setFixedHeight(9 * kGrid);
    connect(m_notes, &QPlainTextEdit::textChanged, this, [this] { m_notesTimer.start(); });

    m_rowsPlace = new QVBoxLayout;
    column->addWidget(m_title);
    column->addWidget(m_missing);
    column->addWidget(m_prompt);
    column->addWidget(m_stars);
    column->addWidget(buildActions());
    column->addWidget(tagBox);
    column->addWidget(m_newTag);
    column->addWidget(m_notes);
    column->addLayout(m_rowsPlace);
    setWidget(page);
}

QWidget* ClipDetails::buildActions() {
    auto* box = new QWidget;
    auto* row = new FlowLayout(kGrid / 2);
    const auto add = [&](const QString& name, const QString& toolTip, auto signal) {
        auto* button = makeButton(name);
        button->setToolTip(toolTip);
        connect(button, &QPushButton::clicked, this, signal);
        row->addWidget(button);
        return button;
    };
    m_load = add(tr("Load settings"), tr("Puts this clip's settings into the prompt panel"),
                 &ClipDetails::loadRequested);
    m_vary = add(tr("Vary seed"), tr("Puts the settings into the prompt panel with a new seed"),
                 &ClipDetails::varyRequested);
    add(tr("Export…"), tr("Saves the clips in another format or size"), &ClipDetails::exportRequested);
    m_reveal = add(tr("Show in folder"), tr("Opens the folder the file is in"), &ClipDetails::revealRequested);
    add(tr("Copy settings"), tr("Copies the settings as text"), &ClipDetails::copyRequested);
    box->setLayout(row);
    return box;
}

void ClipDetails::flushNotes() {
    if (m_notesTimer.isActive() || sender() == &m_notesTimer) {
        m_notesTimer.stop();
        const QString written = m_notes->toPlainText();
        if (m_clipId != 0 && written != m_savedNotes) {
            emit notesEdited(m_clipId, std::exchange(m_savedNotes, written), written);
        }
    }
}

void ClipDetails::showNothing() {
    flushNotes();
    m_clipId = 0;
    m_content->hide();
    m_empty->show();
}

void ClipDetails::showClip(const store::Clip& clip, const QString& project) {
    const bool same = clip.id == m_clipId;
    if (!same) {
        flushNotes();
    }
    m_clipId = clip.id;
    m_empty->hide();
    m_title->hide();
    m_prompt->setText(text(clip.prompt));
    m_prompt->show();
    m_missing->setText(tr("The file is missing. Put it back to play the clip; its settings can still be used."));
    m_missing->setVisible(clip.missing);
    m_stars->setStars(clip.stars);
    m_load->show();
    m_vary->show();
    m_reveal->show();
    m_notes->show();
    // What is being written is not replaced by what was read.
    if (!same || (!m_notesTimer.isActive() && !m_notes->hasFocus())) {
        m_savedNotes = text(clip.notes);
        if (m_notes->toPlainText() != m_savedNotes) {
            const QSignalBlocker blocker(m_notes);
            m_notes->setPlainText(m_savedNotes);
        }
    }
    showTags({clip});
    showRows({clip}, project);
    m_content->show();
}

void ClipDetails::showSeveral(const std::vector<store::Clip>& clips, qint64 count) {
    flushNotes();
    m_clipId = 0;
    m_empty->hide();
    m_title->setText(tr("%n clips selected", nullptr, static_cast<int>(count)));
    m_title->show();
    m_prompt->hide();
    const auto missing = std::count_if(clips.begin(), clips.end(), [](const store::Clip& c) { return c.missing; });
    m_missing->setText(missing == 1 ? tr("One file is missing.")
                                    : tr("%n files are missing.", nullptr, static_cast<int>(missing)));
    m_missing->setVisible(missing > 0);
    const bool alike = std::all_of(clips.begin(), clips.end(),
                                   [&](const store::Clip& c) { return c.stars == clips.front().stars; });
    m_stars->setStars(alike && !clips.empty() && std::cmp_equal(clips.size(), count) ? clips.front().stars : -1);
    m_load->hide();
    m_vary->hide();
    m_reveal->hide();
    m_notes->hide();
    showTags(clips);
    showRows(clips, QString());
    m_content->show();
}

void ClipDetails::setKnownTags(const QStringList& tags) {
    m_knownTags->setStringList(tags);
}

// The tags all of the clips have.
void ClipDetails::showTags(const std::vector<store::Clip>& clips) {
    while (auto* item = m_tags->takeAt(0)) {
        item->widget()->hide();
        item->widget()->deleteLater();  // its click may be what brought us here
        delete item;
    }
    std::vector<std::string> shared = clips.empty() ? std::vector<std::string>() : clips.front().tags;
    for (const store::Clip& clip : clips) {
        std::erase_if(shared, [&](const std::string& tag) {
            return std::find(clip.tags.begin(), clip.tags.end(), tag) == clip.tags.end();
        });
    }
    for (const std::string& tag : shared) {
        const QString name = text(tag);
        QString shown = name.simplified();
        shown = shown.size() > 40 ? shown.left(39) + QChar(0x2026) : shown;
        auto* chip =
            makeButton(QString(shown).replace(QLatin1Char('&'), QLatin1String("&&")) + QStringLiteral("  ×"),
                       QStringLiteral("chip"));
        chip->setAccessibleName(tr("Remove the tag %1").arg(name));
        chip->setToolTip(asToolTip(tr("Remove the tag %1").arg(name)));
        connect(chip, &QPushButton::clicked, this, [this, name] { emit tagRemoved(name); });
        m_tags->addWidget(chip);
    }
    m_tags->parentWidget()->setVisible(!shared.empty());
}

void ClipDetails::showRows(const std::vector<store::Clip>& clips, const QString& project) {
    if (m_rows != nullptr) {
        m_rows->hide();
        m_rows->deleteLater();
    }
    m_rows = new QWidget;
    auto* grid = new QGridLayout(m_rows);
    grid->setContentsMargins(0, kGrid, 0, 0);
    grid->setHorizontalSpacing(2 * kGrid);
    grid->setVerticalSpacing(kGrid / 2);
    int line = 0;
    const auto addHeading = [&](const QString& heading) {
        auto* label = makeLabel(heading, TextRole::Heading, true);
        label->setContentsMargins(0, line == 0 ? 0 : kGrid, 0, 0);
        grid->addWidget(label, line++, 0, 1, -1);
    };
    const auto addRow = [&](const SettingRow& row, int columns) {
        auto* name = makeLabel(row.name, TextRole::Secondary, true);
        grid->addWidget(name, line, 0, Qt::AlignTop);
        for (int i = 0; i < columns; ++i) {
            grid->addWidget(valueWidget(row.name, row.values[i].isEmpty() ? QStringLiteral("–") : row.values[i]),
                            line, 1 + i);
        }
        ++line;
    };
    if (clips.size() == 1) {
        addHeading(tr("Settings"));
        for (const SettingRow& row : settingRows(clips, SettingsOf::Request)) {
            const bool elsewhere = row.values.first() == text(clips.front().prompt);
            if (!elsewhere) {
                addRow(row, 1);
            }
        }
        addHeading(tr("Origin"));
        for (const SettingRow& row : provenanceRows(clips.front(), project)) {
            addRow(row, 1);
        }
        grid->setColumnStretch(1, 1);
    } else if (clips.size() > 1) {
        const auto columns = static_cast<int>(std::min<std::size_t>(clips.size(), kMostColumns));
        addHeading(std::cmp_less(columns, clips.size()) ? tr("What differs between the first %1").arg(columns)
                                                        : tr("What differs"));
        bool any = false;
        for (const SettingRow& row : settingRows({clips.begin(), clips.begin() + columns})) {
            if (row.differs()) {
                addRow(row, columns);
                any = true;
            }
        }
        if (!any) {
            grid->addWidget(makeLabel(tr("Nothing: all settings are the same."), TextRole::Secondary, true), line++,
                            0, 1, -1);
        }
        for (int i = 0; i < columns; ++i) {
            grid->setColumnStretch(1 + i, 1);
        }
    }
    m_rowsPlace->addWidget(m_rows);
}

}  // namespace fw::ui
