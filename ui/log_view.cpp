#include "ui/log_view.h"

#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QVBoxLayout>
#include <utility>

#include "ui/controls.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr QSize kFirstSize(900, 560);

}  // namespace

LogView::LogView(const app::LogBook& log, std::function<QString(Prompts)> diagnostics, QWidget* parent)
    : QDialog(parent), m_log(log), m_diagnostics(std::move(diagnostics)) {
    setWindowTitle(tr("Log"));
    resize(kFirstSize);
    m_text = new QPlainTextEdit;
    m_text->setReadOnly(true);
    m_text->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_text->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_text->setMaximumBlockCount(static_cast<int>(app::LogBook::kLines));
    m_text->setAccessibleName(tr("Log"));
    m_text->setToolTip(tr("What the engine, the queue and the library said since the start"));
    m_text->setPlaceholderText(tr("Nothing to show"));
    auto* withPrompts = new QCheckBox(tr("Include my prompts"));
    withPrompts->setAccessibleName(withPrompts->text());
    withPrompts->setToolTip(tr("Without this the copied text does not tell what you make"));
    auto* copy = makeButton(tr("Copy diagnostics"), QStringLiteral("primary"));
    copy->setToolTip(tr("Version, devices, settings and the last lines of the log, for a report of a defect"));
    connect(copy, &QPushButton::clicked, this, [this, withPrompts] {
        QGuiApplication::clipboard()->setText(
            m_diagnostics(withPrompts->isChecked() ? Prompts::Include : Prompts::LeaveOut));
    });
    auto* close = makeButton(tr("Close"));
    close->setToolTip(tr("Close the log"));
    connect(close, &QPushButton::clicked, this, &QDialog::reject);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(2 * kGrid);
    buttons->addWidget(withPrompts);
    buttons->addStretch(1);
    buttons->addWidget(copy);
    buttons->addWidget(close);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(2 * kGrid, 2 * kGrid, 2 * kGrid, 2 * kGrid);
    column->setSpacing(2 * kGrid);
    column->addWidget(buildFilters());
    column->addWidget(m_text, 1);
    column->addLayout(buttons);
    connect(&log, &app::LogBook::lineAdded, this, &LogView::add);
    fill();
    m_search->setFocus();
}

QWidget* LogView::buildFilters() {
    auto* filters = new QWidget;
    m_level = new QComboBox;
    m_level->addItem(tr("Everything"), static_cast<int>(app::LogBook::Level::Info));
    m_level->addItem(tr("Warnings and errors"), static_cast<int>(app::LogBook::Level::Warning));
    m_level->addItem(tr("Errors"), static_cast<int>(app::LogBook::Level::Error));
    m_level->setAccessibleName(tr("Shown lines"));
    m_level->setToolTip(tr("Which lines are shown"));
    m_search = new QLineEdit;
    m_search->setPlaceholderText(tr("Search the log"));
    m_search->setAccessibleName(tr("Search the log"));
    m_search->setToolTip(tr("Only lines that contain this are shown"));
    m_search->setClearButtonEnabled(true);
    m_follow = new QCheckBox(tr("Follow"));
    m_follow->setAccessibleName(m_follow->text());
    m_follow->setToolTip(tr("Scroll to what is said last"));
    m_follow->setChecked(true);
    auto* row = new QHBoxLayout(filters);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(kGrid);
    row->addWidget(m_level);
    row->addWidget(m_search, 1);
    row->addWidget(m_follow);
    connect(m_level, &QComboBox::currentIndexChanged, this, &LogView::fill);
    connect(m_search, &QLineEdit::textChanged, this, &LogView::fill);
    connect(m_follow, &QCheckBox::toggled, this, &LogView::fill);
    return filters;
}

bool LogView::isWanted(const app::LogBook::Line& line) const {
    return static_cast<int>(line.level) >= m_level->currentData().toInt() &&
           (m_search->text().isEmpty() ||
            app::LogBook::toText(line).contains(m_search->text(), Qt::CaseInsensitive));
}

void LogView::fill() {
    QStringList lines;
    for (const auto& line : m_log.lines()) {
        if (isWanted(line)) {
            lines.append(app::LogBook::toText(line));
        }
    }
    m_text->setPlainText(lines.join(QLatin1Char('\n')));
    if (m_follow->isChecked()) {
        m_text->verticalScrollBar()->setValue(m_text->verticalScrollBar()->maximum());
    }
}

// appendPlainText() stays at the end by itself when it is there; without following, the view stays where it is.
void LogView::add(const app::LogBook::Line& line) {
    if (!isWanted(line)) {
        return;
    }
    auto* bar = m_text->verticalScrollBar();
    const int before = bar->value();
    m_text->appendPlainText(app::LogBook::toText(line));
    bar->setValue(m_follow->isChecked() ? bar->maximum() : before);
}

}  // namespace fw::ui
