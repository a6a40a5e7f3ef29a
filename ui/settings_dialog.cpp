#include "ui/settings_dialog.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDesktopServices>
#include <QDialogButtonBox>
#include <QDir>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QUrl>
#include <QVBoxLayout>

#include "ui/controls.h"
#include "ui/language.h"
#include "ui/preferences.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kWidth = 64 * kGrid;

}  // namespace

SettingsDialog::SettingsDialog(Preferences& preferences, const QString& library, QWidget* parent)
    : QDialog(parent), m_preferences(preferences) {
    setWindowTitle(tr("Settings"));
    setMinimumWidth(kWidth);
    auto* form = new QFormLayout;
    form->setHorizontalSpacing(3 * kGrid);
    form->setVerticalSpacing(2 * kGrid);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->setLabelAlignment(Qt::AlignLeft);
    addLook(*form);
    addLanguage(*form);
    addLibrary(*form, library);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(3 * kGrid, 3 * kGrid, 3 * kGrid, 2 * kGrid);
    layout->setSpacing(3 * kGrid);
    layout->addLayout(form);
    layout->addWidget(buttons);
}

void SettingsDialog::addLook(QFormLayout& form) {
    auto* appearance = new QComboBox;
    appearance->addItems({tr("As the system"), tr("Light"), tr("Dark")});
    appearance->setCurrentIndex(static_cast<int>(m_preferences.appearance()));
    appearance->setToolTip(tr("Light or dark windows"));
    connect(appearance, &QComboBox::activated, this,
            [this](int index) { m_preferences.setAppearance(static_cast<ThemeChoice>(index)); });
    form.addRow(makeFieldLabel(tr("Appearance"), appearance), appearance);

    auto* notify = new QCheckBox(tr("Tell me when a clip is done and I am elsewhere"));
    notify->setAccessibleName(notify->text());
    notify->setToolTip(tr("A notification of the desktop, only while another window is active"));
    notify->setChecked(m_preferences.notifies());
    connect(notify, &QCheckBox::toggled, &m_preferences, &Preferences::setNotifies);
    form.addRow(QString(), notify);
}

void SettingsDialog::addLanguage(QFormLayout& form) {
    auto* language = new QComboBox;
    language->addItem(tr("As the system"), systemLanguage());
    for (const Language& known : languages()) {
        language->addItem(known.name, known.code);
    }
    const QString current = m_preferences.language();
    language->setCurrentIndex(language->findData(current));
    language->setToolTip(tr("The language of all texts, from the next start on"));
    auto* later = makeLabel(tr("The language changes when Framewright is started again."), TextRole::Caption);
    later->setWordWrap(true);
    later->hide();
    connect(language, &QComboBox::activated, this, [this, language, later, current] {
        m_preferences.setLanguage(language->currentData().toString());
        later->setVisible(m_preferences.language() != current);
    });
    form.addRow(makeFieldLabel(tr("Language"), language), language);
    form.addRow(QString(), later);
}

void SettingsDialog::addLibrary(QFormLayout& form, const QString& library) {
    const QString path = QDir::toNativeSeparators(library);
    auto* label = makeLabel(QString(), TextRole::Body);
    label->setText(label->fontMetrics().elidedText(path, Qt::ElideMiddle, kWidth / 2));
    label->setToolTip(asToolTip(path));
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* open = makeButton(tr("Open"));
    open->setToolTip(tr("Show the library's folder. Another one: framewright --library FOLDER"));
    connect(open, &QPushButton::clicked, this,
            [library] { QDesktopServices::openUrl(QUrl::fromLocalFile(library)); });
    auto* row = new QHBoxLayout;
    row->setSpacing(kGrid);
    row->addWidget(label, 1);
    row->addWidget(open);
    form.addRow(makeLabel(tr("Library"), TextRole::Secondary), row);
}

}  // namespace fw::ui
