#include "ui/queue_delegate.h"

#include <QPainter>
#include <QPainterPath>
#include <QWidget>
#include <algorithm>
#include <array>

#include "ui/icons.h"
#include "ui/queue_model.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kRowHeight = 7 * kGrid;
constexpr int kRunningHeight = 11 * kGrid;
constexpr int kHeadingHeight = 4 * kGrid;
constexpr int kPicture = 5 * kGrid;
constexpr int kMargin = 2 * kGrid;
constexpr int kMenuSide = 3 * kGrid;
constexpr int kPhaseBar = 4;
constexpr int kPhaseGap = kGrid / 2;
constexpr double kFinishedOpacity = 0.72;

// The phases with a bar; loading the model comes before them and has its own words.
constexpr std::array kPhases{"text", "denoise", "decode", "encode"};

QString phaseLabel(std::size_t phase) {
    switch (phase) {
        case 0:
            return QueueModel::tr("Text");
        case 1:
            return QueueModel::tr("Denoise");
        case 2:
            return QueueModel::tr("Decode");
        default:
            return QueueModel::tr("Encode");
    }
}

QString stateIcon(store::JobState state) {
    switch (state) {
        case store::JobState::Interrupted:
            return QStringLiteral("pause");
        case store::JobState::Failed:
            return QStringLiteral("error");
        case store::JobState::Cancelled:
            return QStringLiteral("close");
        case store::JobState::Done:
            return QStringLiteral("check");
        case store::JobState::Queued:
        case store::JobState::Running:
            break;
    }
    return {};
}

// Without the last facts that do not fit; a sentence is cut off instead.
QString fitted(const QString& words, const QFont& font, int width) {
    const auto dot = QStringLiteral("  ·  ");
    const QFontMetrics metrics(font);
    QString shown = words;
    while (metrics.horizontalAdvance(shown) > width && shown.contains(dot)) {
        shown.truncate(shown.lastIndexOf(dot));
    }
    return metrics.elidedText(shown, Qt::ElideRight, width);
}

const Colours& coloursIn(const QStyleOptionViewItem& option) {
    return option.widget ? coloursOf(*option.widget) : lightColours();
}

}  // namespace

QueueDelegate::QueueDelegate(const QueueModel& model, QObject* parent)
    : QStyledItemDelegate(parent), m_model(model) {}

QSize QueueDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex& index) const {
    const QueueRow& row = m_model.row(index.row());
    return {0, row.isHeading() ? kHeadingHeight : row.isRunning() ? kRunningHeight : kRowHeight};
}

QRect QueueDelegate::menuButton(const QRect& row) {
    return {row.right() - kGrid - kMenuSide + 1, row.top() + (kRowHeight - kMenuSide) / 2, kMenuSide, kMenuSide};
}

void QueueDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const Colours& colours = coloursIn(option);
    const QueueRow& row = m_model.row(index.row());
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    const bool selected = option.state.testFlag(QStyle::State_Selected);
    const bool hovered = option.state.testFlag(QStyle::State_MouseOver) || m_hovered == index.row();
    if (row.isHeading()) {
        paintHeading(*painter, option, index.row());
    } else {
        if (selected || hovered) {
            painter->fillRect(option.rect, selected ? colours.line : colours.controlHover);
        }
        if (selected) {
            painter->fillRect(QRect(option.rect.topLeft(), QSize(3, option.rect.height())), colours.accent);
        }
        if (row.batchCount > 1) {
            // One line along the jobs that were queued together.
            const int top = option.rect.top() + (row.joinsAbove ? 0 : kGrid);
            const int bottom = option.rect.bottom() + 1 - (row.joinsBelow ? 0 : kGrid);
            painter->fillRect(QRect(option.rect.left() + 7, top, 2, bottom - top), colours.border);
        }
        const QRect picture(option.rect.left() + kMargin, option.rect.top() + (kRowHeight - kPicture) / 2, kPicture,
                            kPicture);
        paintPicture(*painter, picture, option, index.row());
        const QRect line(picture.right() + 1 + kGrid + kGrid / 2, option.rect.top(), 0, kRowHeight);
        paintTexts(*painter, line.adjusted(0, 0, menuButton(option.rect).left() - kGrid / 2 - line.left(), 0),
                   option, index.row());
        if (row.isRunning()) {
            paintPhases(*painter,
                        QRect(option.rect.left() + kMargin, option.rect.top() + kRowHeight,
                              option.rect.width() - 2 * kMargin, kRunningHeight - kRowHeight - kGrid / 2),
                        option);
        }
        if (hovered || (selected && option.state.testFlag(QStyle::State_HasFocus))) {
            icon(QStringLiteral("more")).paint(painter, menuButton(option.rect).adjusted(2, 2, -2, -2));
        }
    }
    if (option.state.testFlag(QStyle::State_HasFocus) && option.state.testFlag(QStyle::State_KeyboardFocusChange)) {
        painter->setPen(QPen(colours.accent, 2));
        painter->setBrush(Qt::NoBrush);
        painter->drawRoundedRect(QRectF(option.rect).adjusted(2, 2, -2, -2), 4, 4);
    }
    painter->restore();
}

void QueueDelegate::paintHeading(QPainter& painter, const QStyleOptionViewItem& option, int row) const {
    const Colours& colours = coloursIn(option);
    const bool folds = m_model.row(row).section == QueueSection::Finished;
    QRect place = option.rect.adjusted(kMargin, kGrid / 2, -kMargin, 0);
    if (folds) {
        const int side = 2 * kGrid;
        const QRect arrow(option.rect.right() - kGrid - side - 3, place.center().y() - side / 2, side, side);
        icon(m_model.isFinishedShown() ? QStringLiteral("chevron-down") : QStringLiteral("chevron-right"))
            .paint(&painter, arrow);
    }
    QFont font = fontFor(TextRole::Caption);
    font.setWeight(QFont::DemiBold);
    painter.setFont(font);
    painter.setPen(colours.textSecondary);
    painter.drawText(place, Qt::AlignVCenter | Qt::AlignLeft, m_model.title(row));
}

void QueueDelegate::paintPicture(QPainter& painter, const QRect& place, const QStyleOptionViewItem& option,
                                 int row) const {
    const Colours& colours = coloursIn(option);
    const QueueRow& item = m_model.row(row);
    QPainterPath shape;
    shape.addRoundedRect(place, 4, 4);
    const QImage picture = m_model.picture(row);
    if (!picture.isNull()) {
        painter.save();
        painter.setClipPath(shape);
        painter.setRenderHint(QPainter::SmoothPixmapTransform);
        painter.setOpacity(item.section == QueueSection::Finished ? kFinishedOpacity : 1.0);
        painter.drawImage(place, picture);
        painter.restore();
        return;
    }
    painter.setPen(Qt::NoPen);
    painter.setBrush(colours.control);
    painter.drawPath(shape);
    painter.setPen(QPen(colours.line, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawPath(shape);
    const QString name = stateIcon(item.job.state);
    if (!name.isEmpty()) {
        const int side = 2 * kGrid + 2;
        QRect at(0, 0, side, side);
        at.moveCenter(place.center());
        const bool failed = item.job.state == store::JobState::Failed;
        icon(name, failed ? QPalette::BrightText : QPalette::PlaceholderText).paint(&painter, at);
    } else if (item.isWaiting()) {
        painter.setFont(fontFor(TextRole::Caption));
        painter.setPen(colours.textSecondary);
        painter.drawText(place, Qt::AlignCenter, QString::number(item.place));
    }
}

void QueueDelegate::paintTexts(QPainter& painter, const QRect& place, const QStyleOptionViewItem& option,
                               int row) const {
    const Colours& colours = coloursIn(option);
    const QueueRow& item = m_model.row(row);
    const bool failed = item.job.state == store::JobState::Failed;
    const QFont titleFont = fontFor(item.isRunning() ? TextRole::Heading : TextRole::Body);
    const QFont detailFont = fontFor(TextRole::Caption);
    const int titleHeight = QFontMetrics(titleFont).height();
    const int detailHeight = QFontMetrics(detailFont).height();
    const int gap = 2;
    const QString details = fitted(m_model.details(row), detailFont, place.width());
    int y = place.top() + (place.height() - titleHeight - (details.isEmpty() ? 0 : gap + detailHeight)) / 2;
    const auto write = [&](const QFont& font, const QColor& colour, const QString& words, int height) {
        painter.setFont(font);
        painter.setPen(colour);
        painter.drawText(QRect(place.left(), y, place.width(), height), Qt::AlignVCenter | Qt::AlignLeft, words);
        y += height + gap;
    };
    const bool past = item.section == QueueSection::Finished;
    write(titleFont, past ? colours.textSecondary : colours.text,
          QFontMetrics(titleFont).elidedText(m_model.title(row), Qt::ElideRight, place.width()), titleHeight);
    write(detailFont, failed ? colours.danger : colours.textSecondary, details, detailHeight);
}

// The names below the bars: all of them where each fits under its own, else the current one in full.
void QueueDelegate::paintPhaseNames(QPainter& painter, const QRect& place, double width, int current,
                                    const Colours& colours) {
    QFont bold = fontFor(TextRole::Caption);
    bold.setWeight(QFont::DemiBold);
    const QFontMetrics metrics(bold);
    const int count = static_cast<int>(kPhases.size());
    bool allFit = true;
    for (int i = 0; i < count; ++i) {
        allFit = allFit && metrics.horizontalAdvance(phaseLabel(static_cast<std::size_t>(i))) <= width;
    }
    for (int i = 0; i < count; ++i) {
        if (!allFit && i != current) {
            continue;
        }
        const QString name = phaseLabel(static_cast<std::size_t>(i));
        const int left = place.left() + static_cast<int>(i * (width + kPhaseGap));
        const int last = place.right() + 1 - metrics.horizontalAdvance(name);
        painter.setFont(i == current ? bold : fontFor(TextRole::Caption));
        painter.setPen(i == current ? colours.text : colours.textSecondary);
        painter.drawText(QRect(std::min(left, last), place.top(), place.width(), metrics.height()),
                         Qt::AlignLeft | Qt::AlignVCenter, name);
    }
}

// Four bars in a row, one for each phase: behind us, under way, to come.
void QueueDelegate::paintPhases(QPainter& painter, const QRect& place, const QStyleOptionViewItem& option) const {
    const Colours& colours = coloursIn(option);
    const QueueProgress& progress = m_model.progress();
    const auto at = std::find_if(kPhases.begin(), kPhases.end(),
                                 [&](const char* name) { return progress.phase == QLatin1String(name); });
    const auto current = at == kPhases.end() ? -1 : static_cast<int>(at - kPhases.begin());
    const int count = static_cast<int>(kPhases.size());
    const double width = (place.width() - kPhaseGap * (count - 1)) / static_cast<double>(count);
    for (int i = 0; i < count; ++i) {
        const QRectF bar(place.left() + i * (width + kPhaseGap), place.top(), width, kPhaseBar);
        double part = i < current ? 1.0 : 0.0;
        if (i == current && progress.steps > 0) {
            part = std::clamp(static_cast<double>(progress.step) / progress.steps, 0.0, 1.0);
        }
        painter.setPen(Qt::NoPen);
        painter.setBrush(colours.border);
        painter.setOpacity(0.45);
        painter.drawRoundedRect(bar, 2, 2);
        painter.setOpacity(1.0);
        if (part > 0.0) {
            painter.setBrush(colours.accent);
            painter.drawRoundedRect(QRectF(bar.topLeft(), QSizeF(std::max(4.0, bar.width() * part), bar.height())),
                                    2, 2);
        }
    }
    paintPhaseNames(painter, place.adjusted(0, kPhaseBar + 3, 0, 0), width, current, colours);
}

}  // namespace fw::ui
