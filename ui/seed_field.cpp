#include "ui/seed_field.h"

#include <QHBoxLayout>
#include <QLineEdit>
#include <QRandomGenerator>
#include <QToolButton>

#include "ui/controls.h"
#include "ui/icons.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {
// Any 64-bit number may be typed; drawn ones stay short enough to read out and to note down.
constexpr quint32 kDrawnSeeds = 1'000'000;
}  // namespace

SeedField::SeedField(QWidget* parent) : QWidget(parent) {
    m_edit = new QLineEdit;
    m_edit->setMaxLength(20);
    m_edit->setAccessibleName(tr("Seed"));
    m_edit->setToolTip(tr("Which noise the clip grows from. The same seed and settings give the same clip again."));
    m_dice = makeIconButton(QStringLiteral("dice"), tr("New seed"), tr("Draw another seed"));
    m_lock = makeIconButton(QStringLiteral("unlock"), tr("Keep the seed"), QString());
    m_lock->setCheckable(true);

    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(kGrid / 2);
    row->addWidget(m_edit, 1);
    row->addWidget(m_dice);
    row->addWidget(m_lock);

    connect(m_edit, &QLineEdit::textChanged, this, [this] {
        setInvalid(m_edit, !seed());
        emit changed();
    });
    // A seed typed by hand is meant.
    connect(m_edit, &QLineEdit::textEdited, this, [this] { m_lock->setChecked(true); });
    connect(m_dice, &QToolButton::clicked, this, &SeedField::draw);
    connect(m_lock, &QToolButton::toggled, this, [this] {
        showLock();
        emit changed();
    });
    showLock();
    draw();
}

std::optional<quint64> SeedField::seed() const {
    bool ok = false;
    const quint64 value = m_edit->text().trimmed().toULongLong(&ok);
    return ok ? std::optional(value) : std::nullopt;
}

void SeedField::setSeed(quint64 seed) {
    m_edit->setText(QString::number(seed));
}

bool SeedField::isLocked() const {
    return m_lock->isChecked();
}

void SeedField::setLocked(bool locked) {
    m_lock->setChecked(locked);
}

void SeedField::drawUnlessLocked() {
    if (!isLocked()) {
        draw();
    }
}

void SeedField::draw() {
    setSeed(QRandomGenerator::global()->bounded(kDrawnSeeds));
}

void SeedField::showLock() {
    m_lock->setIcon(icon(isLocked() ? QStringLiteral("lock") : QStringLiteral("unlock"),
                         isLocked() ? QPalette::Link : QPalette::ButtonText));
    m_lock->setToolTip(isLocked() ? tr("The seed is kept. Click to draw a new one for every clip.")
                                  : tr("A new seed is drawn for every clip. Click to keep this one."));
}

}  // namespace fw::ui
