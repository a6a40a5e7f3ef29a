// How a clip looks in the grid.
#include <QApplication>
#include <QPainter>
#include <QPainterPath>
#include <cmath>

#include "ui/formats.h"
#include "ui/library_grid.h"
#include "ui/star_field.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kMargin = kGrid / 2;   // round a tile
constexpr int kPadding = kGrid / 2;  // inside its frame
constexpr int kStar = 11;

QString lengthText(const store::Clip& clip) {
    const double seconds = clip.fpsNumerator > 0 ? clip.frames * static_cast<double>(clip.fpsDenominator) /
                                                       static_cast<double>(clip.fpsNumerator)
                                                 : 0.0;
    return durationText(seconds);
}

QString factsText(const store::Clip& clip) {
    return QStringLiteral("%1 × %2 · %3").arg(clip.width).arg(clip.height).arg(lengthText(clip));
}

void drawStars(QPainter& painter, const QRect& area, int stars, const QColor& colour) {
    for (int i = 0; i < stars; ++i) {
        painter.fillPath(
            starPath(QRectF(area.left() + i * (kStar + 1), area.center().y() - kStar / 2.0 + 0.5, kStar, kStar)),
            colour);
    }
}

}  // namespace

struct ClipDelegate::Look {
    QRect area;
    const store::Clip* clip = nullptr;  // null while it is being read
    const Colours* colours = nullptr;
    QFontMetrics metrics, smallMetrics;
    QFont font, smallFont;
    bool selected = false, current = false, hovered = false;
};

QSize tileSize(int width, const QFontMetrics& metrics) {
    const int picture = (width - 2 * (kMargin + kPadding)) * 3 / 4;
    return {width, picture + 2 * (kMargin + kPadding) + 2 * metrics.lineSpacing() + kGrid};
}

ClipDelegate::ClipDelegate(LibraryModel& model, ThumbnailCache& thumbnails, LibraryGrid& grid)
    : QStyledItemDelegate(&grid), m_model(model), m_thumbnails(thumbnails), m_grid(grid) {}

QSize ClipDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const {
    return m_grid.gridSize();
}

void ClipDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const QFont small = fontFor(TextRole::Caption);
    Look look{option.rect,
              m_model.clip(index.row()),
              &coloursOf(m_grid),
              option.fontMetrics,
              QFontMetrics(small),
              option.font,
              small};
    look.selected = option.state.testFlag(QStyle::State_Selected);
    look.current = option.state.testFlag(QStyle::State_HasFocus) && m_grid.hasFocus();
    look.hovered = option.state.testFlag(QStyle::State_MouseOver);
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setRenderHint(QPainter::SmoothPixmapTransform);
    // Selection is a filled frame with an edge, not a colour alone.
    const QRectF frame = QRectF(look.area).adjusted(kMargin / 2.0, kMargin / 2.0, -kMargin / 2.0, -kMargin / 2.0);
    if (look.selected || look.hovered || look.current) {
        QPainterPath path;
        path.addRoundedRect(frame.adjusted(1, 1, -1, -1), 5, 5);
        if (look.selected || look.hovered) {
            QColor fill = look.selected ? look.colours->accent : look.colours->controlHover;
            fill.setAlphaF(look.selected ? 0.22F : 1.0F);
            painter->fillPath(path, fill);
        }
        if (look.selected || look.current) {
            painter->setPen(
                QPen(look.selected ? look.colours->accent : look.colours->text, look.current ? 2.0 : 1.0));
            painter->drawPath(path);
        }
    }
    if (m_grid.layoutKind() == LibraryGrid::Layout::Rows) {
        paintRow(*painter, look);
    } else {
        paintTile(*painter, look);
    }
    painter->restore();
}

void ClipDelegate::paintPicture(QPainter& painter, const QRect& area, const Look& look) const {
    painter.fillRect(area, look.colours->canvas);
    if (look.clip == nullptr) {
        return;
    }
    QPixmap picture = m_grid.playingFrame(look.clip->id);
    if (picture.isNull()) {
        picture = m_thumbnails.picture(*look.clip);
    }
    if (!picture.isNull()) {
        const QSize size = picture.size().scaled(area.size(), Qt::KeepAspectRatio);
        const QRect target(area.left() + (area.width() - size.width()) / 2,
                           area.top() + (area.height() - size.height()) / 2, size.width(), size.height());
        if (look.clip->missing) {
            painter.setOpacity(0.35);
        }
        painter.drawPixmap(target, picture);
        painter.setOpacity(1.0);
    }
    QString badge;
    if (look.clip->missing) {
        badge = ClipDelegate::tr("File missing");
    } else if (picture.isNull() && m_thumbnails.failed(look.clip->id)) {
        badge = ClipDelegate::tr("No picture");
    }
    if (!badge.isEmpty() && area.height() > 2 * look.smallMetrics.height()) {
        painter.setFont(look.smallFont);
        const QSize size(look.smallMetrics.horizontalAdvance(badge) + 2 * kGrid,
                         look.smallMetrics.height() + kGrid / 2);
        const QRect box(area.center().x() - size.width() / 2, area.center().y() - size.height() / 2, size.width(),
                        size.height());
        QPainterPath path;
        path.addRoundedRect(box, 4, 4);
        painter.fillPath(path, look.colours->panel);
        painter.setPen(look.clip->missing ? look.colours->danger : look.colours->textSecondary);
        painter.drawText(box, Qt::AlignCenter, badge);
    }
}

void ClipDelegate::paintTile(QPainter& painter, const Look& look) const {
    const QRect inner =
        look.area.adjusted(kMargin + kPadding, kMargin + kPadding, -kMargin - kPadding, -kMargin - kPadding);
    const QRect picture(inner.left(), inner.top(), inner.width(), inner.width() * 3 / 4);
    paintPicture(painter, picture, look);
    if (look.clip == nullptr) {
        return;
    }
    QRect line(inner.left(), picture.bottom() + 1 + kGrid / 2, inner.width(), look.metrics.lineSpacing());
    painter.setFont(look.font);
    painter.setPen(look.colours->text);
    const QString prompt = QString::fromStdString(look.clip->prompt).left(200).simplified();
    painter.drawText(line, Qt::AlignVCenter | Qt::TextSingleLine,
                     look.metrics.elidedText(prompt, Qt::ElideRight, line.width()));
    line.translate(0, look.metrics.lineSpacing());
    painter.setFont(look.smallFont);
    painter.setPen(look.colours->textSecondary);
    const int stars = look.clip->stars * (kStar + 1);
    drawStars(painter, line.adjusted(line.width() - stars, 0, 0, 0), look.clip->stars, look.colours->accent);
    const QString model = QString::fromStdString(look.clip->model).left(80).simplified();
    const QString facts = lengthText(*look.clip) + QStringLiteral(" · ") + model;
    const QRect rest = line.adjusted(0, 0, stars > 0 ? -stars - kGrid : 0, 0);
    painter.drawText(rest, Qt::AlignVCenter | Qt::TextSingleLine,
                     look.smallMetrics.elidedText(facts, Qt::ElideRight, rest.width()));
}

void ClipDelegate::paintRow(QPainter& painter, const Look& look) const {
    const QRect inner = look.area.adjusted(kGrid, kMargin, -kGrid, -kMargin);
    const QRect picture(inner.left(), inner.top(), inner.height() * 4 / 3, inner.height());
    paintPicture(painter, picture, look);
    if (look.clip == nullptr) {
        return;
    }
    const int x = picture.right() + 1 + kGrid;
    QRect line(x, inner.top(), inner.right() - x + 1, inner.height() / 2);
    painter.setFont(look.font);
    painter.setPen(look.colours->text);
    const QString prompt = QString::fromStdString(look.clip->prompt).left(400).simplified();
    painter.drawText(line, Qt::AlignVCenter | Qt::TextSingleLine,
                     look.metrics.elidedText(prompt, Qt::ElideRight, line.width()));
    line.translate(0, line.height());
    drawStars(painter, line, look.clip->stars, look.colours->accent);
    painter.setFont(look.smallFont);
    painter.setPen(look.clip->missing ? look.colours->danger : look.colours->textSecondary);
    const int left = look.clip->stars * (kStar + 1) + (look.clip->stars > 0 ? kGrid : 0);
    QString facts = factsText(*look.clip) + QStringLiteral(" · ") +
                    QString::fromStdString(look.clip->model).left(80) + QStringLiteral(" · ") +
                    QString::fromStdString(look.clip->method).left(80);
    if (look.clip->missing) {
        facts = ClipDelegate::tr("File missing") + QStringLiteral(" · ") + facts;
    }
    const QRect rest = line.adjusted(left, 0, 0, 0);
    painter.drawText(rest, Qt::AlignVCenter | Qt::TextSingleLine,
                     look.smallMetrics.elidedText(facts.simplified(), Qt::ElideRight, rest.width()));
}

}  // namespace fw::ui
