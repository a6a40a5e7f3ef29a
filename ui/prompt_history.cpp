#include "ui/prompt_history.h"

#include <QDateTime>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QLocale>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/controls.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kShown = 200;
constexpr int kHeight = 360;

}  // namespace

PromptHistory::PromptHistory(QWidget* parent) : QFrame(parent, Qt::Popup) {
    setObjectName(QStringLiteral("popover"));
    setFixedSize(kPanelWidth - 6 * kGrid, kHeight);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(kGrid, kGrid, kGrid, kGrid);
    column->setSpacing(kGrid);
    m_search = new QLineEdit;
    m_search->setPlaceholderText(tr("Search prompts"));
    m_search->setAccessibleName(tr("Search prompts"));
    m_search->setToolTip(tr("Shows the prompts that contain these words"));
    m_search->setClearButtonEnabled(true);
    m_search->installEventFilter(this);
    m_list = new QListWidget;
    m_list->setAccessibleName(tr("Prompts used before"));
    m_list->setToolTip(tr("Enter or a click puts the prompt into the form"));
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setTextElideMode(Qt::ElideRight);
    m_list->installEventFilter(this);
    m_empty = makeLabel(QString(), TextRole::Secondary, true);
    m_empty->setAlignment(Qt::AlignTop | Qt::AlignHCenter);
    column->addWidget(m_search);
    column->addWidget(m_list, 1);
    column->addWidget(m_empty, 1);
    m_empty->hide();
    connect(m_search, &QLineEdit::textChanged, this, &PromptHistory::find);
    connect(m_list, &QListWidget::itemClicked, this, &PromptHistory::chooseCurrent);
}

void PromptHistory::setLibrary(app::LibraryService* library) {
    m_library = library;
}

void PromptHistory::openBelow(QWidget* anchor) {
    const QPoint corner = anchor->mapToGlobal(QPoint(anchor->width() - width(), anchor->height() + kGrid / 2));
    move(corner);
    restart();
    m_search->clear();
    find();
    show();
    m_search->setFocus();
}

void PromptHistory::find() {
    if (m_library == nullptr) {
        showEntries({});
        return;
    }
    m_library->read(
        this,
        [words = m_search->text().trimmed().toStdString()](store::LibraryStore& s) {
            return s.prompts(words, kShown);
        },
        [this, search = ++m_newestSearch](const Result<std::vector<store::PromptEntry>>& found) {
            if (search == m_newestSearch) {
                showEntries(found.value_or(std::vector<store::PromptEntry>{}));
            }
        });
}

void PromptHistory::showEntries(const std::vector<store::PromptEntry>& entries) {
    m_shown = entries;
    m_list->clear();
    const QLocale locale;
    for (const auto& entry : entries) {
        auto* item = new QListWidgetItem(QString::fromStdString(entry.prompt).simplified(), m_list);
        const QString used =
            locale.toString(QDateTime::fromMSecsSinceEpoch(entry.usedUs / 1000), QLocale::ShortFormat);
        QString tip = tr("%1\nLast used on %2").arg(QString::fromStdString(entry.prompt).left(600), used);
        if (!entry.negativePrompt.empty()) {
            tip +=
                QLatin1Char('\n') + tr("Without: %1").arg(QString::fromStdString(entry.negativePrompt).left(300));
        }
        item->setToolTip(asToolTip(tip));
    }
    m_list->setCurrentRow(entries.empty() ? -1 : 0);
    m_list->setHidden(entries.empty());
    m_empty->setHidden(!entries.empty());
    m_empty->setText(m_search->text().isEmpty() ? tr("Prompts appear here once clips were made of them.")
                                                : tr("No prompt contains these words."));
}

void PromptHistory::chooseCurrent() {
    const int row = m_list->currentRow();
    if (row < 0 || row >= static_cast<int>(m_shown.size())) {
        return;
    }
    const auto& entry = m_shown[static_cast<std::size_t>(row)];
    hide();
    emit chosen(QString::fromStdString(entry.prompt), QString::fromStdString(entry.negativePrompt));
}

void PromptHistory::step(int direction, const QString& draft, const QString& negativeDraft) {
    if (m_library == nullptr) {
        return;
    }
    if (m_position < 0) {
        if (direction < 0) {
            return;
        }
        m_draft = draft;
        m_negativeDraft = negativeDraft;
    }
    const auto go = [this, direction] {
        const int last = static_cast<int>(m_walk.size()) - 1;
        const int to = std::clamp(m_position + direction, -1, last);
        if (to == m_position) {
            return;
        }
        m_position = to;
        if (to < 0) {
            emit draftReturned(m_draft, m_negativeDraft);
            return;
        }
        const auto& entry = m_walk[static_cast<std::size_t>(to)];
        emit chosen(QString::fromStdString(entry.prompt), QString::fromStdString(entry.negativePrompt));
    };
    if (m_position >= 0) {
        go();
        return;
    }
    m_library->read(
        this, [](store::LibraryStore& s) { return s.prompts({}, kShown); },
        [this, go](Result<std::vector<store::PromptEntry>> found) {
            if (m_position < 0) {
                m_walk = std::move(found).value_or(std::vector<store::PromptEntry>{});
                go();
            }
        });
}

bool PromptHistory::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress) {
        const int key = dynamic_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Return || key == Qt::Key_Enter) {
            chooseCurrent();
            return true;
        }
        if (watched == m_search && (key == Qt::Key_Up || key == Qt::Key_Down)) {
            const int row = m_list->currentRow() + (key == Qt::Key_Down ? 1 : -1);
            m_list->setCurrentRow(std::clamp(row, 0, std::max(0, m_list->count() - 1)));
            return true;
        }
    }
    return QFrame::eventFilter(watched, event);
}

}  // namespace fw::ui
