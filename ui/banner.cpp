#include "ui/banner.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>

#include "ui/controls.h"
#include "ui/theme.h"

namespace fw::ui {

Banner::Banner(const QString& name, QWidget* parent) : QFrame(parent) {
    setObjectName(QStringLiteral("banner"));
    setAccessibleName(name);
    m_text = makeLabel(QString(), TextRole::Body, true);
    m_text->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_row = new QHBoxLayout(this);
    m_row->setContentsMargins(3 * kGrid, kGrid, 2 * kGrid, kGrid);
    m_row->setSpacing(kGrid);
    m_row->addWidget(m_text, 1);
    hide();
}

QPushButton* Banner::addButton(const QString& text, const QString& toolTip) {
    auto* button = makeButton(text);
    button->setToolTip(toolTip);
    m_row->addWidget(button);
    return button;
}

void Banner::setText(const QString& text) {
    m_text->setText(text);
    m_text->setAccessibleName(text);
    setAccessibleDescription(text);
    setVisible(!text.isEmpty());
}

QString Banner::text() const {
    return isHidden() ? QString() : m_text->text();
}

}  // namespace fw::ui
