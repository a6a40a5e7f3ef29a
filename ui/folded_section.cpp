#include "ui/folded_section.h"

#include <QGridLayout>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/controls.h"
#include "ui/icons.h"
#include "ui/settings_form.h"
#include "ui/theme.h"

namespace fw::ui {

FoldedSection::FoldedSection(const QString& title, const QString& toolTip, QWidget* parent) : QWidget(parent) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(kGrid);
    m_toggle = makeButton(title, QStringLiteral("link"));
    m_toggle->setFont(fontFor(TextRole::Heading));
    m_toggle->setToolTip(toolTip);
    column->addWidget(m_toggle, 0, Qt::AlignLeft);
    m_content = new QWidget;
    m_grid = new QGridLayout(m_content);
    m_grid->setContentsMargins(0, 0, 0, 0);
    m_grid->setHorizontalSpacing(kGrid);
    m_grid->setVerticalSpacing(kGrid);
    m_grid->setColumnMinimumWidth(0, kFieldLabelWidth);
    m_grid->setColumnStretch(1, 1);
    column->addWidget(m_content);
    connect(m_toggle, &QPushButton::clicked, this, [this] { setOpen(m_content->isHidden()); });
    setOpen(false);
}

void FoldedSection::addRow(const QString& label, QWidget* control) {
    const int row = m_grid->rowCount();
    m_grid->addWidget(makeFieldLabel(label, control), row, 0);
    m_grid->addWidget(control, row, 1);
}

void FoldedSection::addRow(QWidget* control) {
    m_grid->addWidget(control, m_grid->rowCount(), 1);
}

void FoldedSection::setOpen(bool open) {
    m_content->setVisible(open);
    m_toggle->setIcon(icon(open ? QStringLiteral("chevron-down") : QStringLiteral("chevron-right")));
    m_toggle->setAccessibleDescription(open ? tr("shown") : tr("hidden"));
}

}  // namespace fw::ui
