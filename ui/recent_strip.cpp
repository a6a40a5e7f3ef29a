#include "ui/recent_strip.h"

#include <QAbstractButton>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QPainter>
#include <algorithm>

#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kPicture = 8 * kGrid;

// One picture, cropped to a square; frames mark the clip that plays and the focus.
class ClipButton final : public QAbstractButton {
 public:
    ClipButton(const QImage& picture, const QString& text) : m_picture(picture) {
        setFixedSize(kPicture, kPicture);
        setCheckable(true);
        setToolTip(text);
        setAccessibleName(text);
        setCursor(Qt::PointingHandCursor);
    }

 protected:
    void paintEvent(QPaintEvent*) override {
        const Colours& colours = coloursOf(*this);
        QPainter painter(this);
        painter.setRenderHint(QPainter::SmoothPixmapTransform);
        painter.drawImage(rect(), m_picture);
        // Frames lie inside the picture: one in the accent round the clip that plays, a brighter one inside it for
        // the focus, and a thin line between them and any picture.
        const auto frame = [&](const QColor& colour, int inset, int width) {
            painter.setPen(QPen(colour, width, Qt::SolidLine, Qt::SquareCap, Qt::MiterJoin));
            painter.drawRect(QRectF(rect()).adjusted(inset + width / 2.0, inset + width / 2.0, -inset - width / 2.0,
                                                     -inset - width / 2.0));
        };
        if (isChecked()) {
            frame(colours.accent, 0, 3);
            frame(colours.window, 3, 1);
        }
        if (hasFocus()) {
            frame(colours.text, isChecked() ? 4 : 0, 2);
        } else if (underMouse() && !isChecked()) {
            frame(colours.textSecondary, 0, 2);
        }
    }

 private:
    QImage m_picture;
};

}  // namespace

RecentStrip::RecentStrip(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("recent"));
    setAccessibleName(tr("Recent clips"));
    m_row = new QHBoxLayout(this);
    m_row->setContentsMargins(0, 0, 0, 0);
    m_row->setSpacing(kGrid);
    setFixedHeight(kPicture);
    hide();
}

RecentStrip::Item RecentStrip::itemOf(const app::LoadedClip& clip) {
    const QImage& first = clip.images.frames.first();
    const int side = std::min(first.width(), first.height());
    const QRect middle((first.width() - side) / 2, (first.height() - side) / 2, side, side);
    const QString name = QFileInfo(clip.file).completeBaseName();
    return {clip.file, clip.request ? QString::fromStdString(clip.request->prompt) : name,
            first.copy(middle).scaled(2 * kPicture, 2 * kPicture, Qt::KeepAspectRatio, Qt::SmoothTransformation)};
}

void RecentStrip::setClips(const QList<app::LoadedClip>& clips) {
    m_clips.clear();
    for (const auto& clip : clips) {
        m_clips.append(itemOf(clip));
    }
    rebuild();
}

void RecentStrip::addClip(const app::LoadedClip& clip) {
    m_clips.prepend(itemOf(clip));
    if (m_clips.size() > kMostClips) {
        m_clips.removeLast();
    }
    m_current = clip.file;
    rebuild();
}

void RecentStrip::setCurrent(const QString& file) {
    m_current = file;
    for (int i = 0; i < m_row->count(); ++i) {
        if (auto* button = qobject_cast<QAbstractButton*>(m_row->itemAt(i)->widget())) {
            button->setChecked(m_clips.at(i).file == file);
        }
    }
}

void RecentStrip::remove(const QString& file) {
    m_clips.removeIf([&](const Item& item) { return item.file == file; });
    rebuild();
}

void RecentStrip::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    // Whole pictures only.
    const int room = (width() + kGrid) / (kPicture + kGrid);
    for (int i = 0; i < m_row->count(); ++i) {
        if (auto* widget = m_row->itemAt(i)->widget()) {
            widget->setVisible(i < room);
        }
    }
}

void RecentStrip::rebuild() {
    while (auto* item = m_row->takeAt(0)) {
        if (item->widget()) {
            item->widget()->hide();
            item->widget()->deleteLater();  // it may be the button whose click brought us here
        }
        delete item;
    }
    const int room = (width() + kGrid) / (kPicture + kGrid);
    for (const auto& clip : std::as_const(m_clips)) {
        auto* button = new ClipButton(clip.picture, clip.text);
        button->setChecked(clip.file == m_current);
        connect(button, &QAbstractButton::clicked, this, [this, button, file = clip.file] {
            button->setChecked(file == m_current);
            emit clipChosen(file);
        });
        m_row->addWidget(button);
        button->setVisible(m_row->count() <= room);
    }
    m_row->addStretch(1);
    setVisible(!m_clips.isEmpty());
}

}  // namespace fw::ui
