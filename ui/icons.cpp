#include "ui/icons.h"

#include <QEvent>
#include <QFile>
#include <QGuiApplication>
#include <QIconEngine>
#include <QPainter>
#include <QPixmap>
#include <QSvgRenderer>

#include "core/base/check.h"

static void initIconResources() {
    Q_INIT_RESOURCE(ui);
}

namespace fw::ui {
namespace {

class LineIconEngine final : public QIconEngine {
 public:
    LineIconEngine(QByteArray svg, QPalette::ColorRole role) : m_svg(std::move(svg)), m_role(role) {}

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
        const auto group = mode == QIcon::Disabled ? QPalette::Disabled : QPalette::Active;
        QByteArray svg = m_svg;
        svg.replace("currentColor", QGuiApplication::palette().color(group, m_role).name().toLatin1());
        QSvgRenderer(svg).render(painter, rect);
    }

    // Qt 6.4's default pixmap() forgets the alpha channel.
    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
        QPixmap pixmap(size);
        pixmap.fill(Qt::transparent);
        QPainter painter(&pixmap);
        paint(&painter, QRect(QPoint(), size), mode, state);
        return pixmap;
    }

    [[nodiscard]] QIconEngine* clone() const override { return new LineIconEngine(m_svg, m_role); }

 private:
    QByteArray m_svg;
    QPalette::ColorRole m_role;
};

}  // namespace

QIcon icon(const QString& name, QPalette::ColorRole role) {
    initIconResources();
    QFile file(QStringLiteral(":/framewright/icons/%1.svg").arg(name));
    FW_CHECK(file.open(QIODevice::ReadOnly), "there is no icon {}", name.toStdString());
    return QIcon(new LineIconEngine(file.readAll(), role));
}

IconLabel::IconLabel(const QString& name, int side, QPalette::ColorRole role, QWidget* parent)
    : QLabel(parent), m_icon(icon(name, role)), m_side(side) {
    draw();
}

void IconLabel::changeEvent(QEvent* event) {
    QLabel::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) {
        draw();
    }
}

void IconLabel::draw() {
    setPixmap(m_icon.pixmap(QSize(m_side, m_side), devicePixelRatioF()));
}

}  // namespace fw::ui
