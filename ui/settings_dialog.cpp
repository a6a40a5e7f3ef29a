#include "ui/settings_dialog.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDesktopServices>
#include <QDialogButtonBox>
#include <QDir>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QSpinBox>
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
    addPreviews(*form);
    addModelFolders(*form);
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

void SettingsDialog::addPreviews(QFormLayout& form) {
    const auto add = [&](const QString& name, const QString& toolTip, int most, int value, const QString& prefix,
                         const QString& suffix, void (Preferences::*set)(int)) {
        auto* spin = new QSpinBox;
        spin->setRange(1, most);
        spin->setPrefix(prefix);
        spin->setSuffix(suffix);
        spin->setValue(value);
        spin->setAccessibleName(name);
        spin->setToolTip(toolTip);
        connect(spin, &QSpinBox::valueChanged, &m_preferences, set);
        return spin;
    };
    auto* steps =
        add(tr("Steps from one preview to the next"),
            tr("How often the clip in the making is shown: after every so many steps, from the next clip on"),
            Preferences::kMostPreviewSteps, m_preferences.previewSteps(), tr("every ", "so many steps"), QString(),
            &Preferences::setPreviewSteps);
    const auto showUnit = [steps](int count) {
        steps->setSuffix(count == 1 ? tr(" step", "every 1") : tr(" steps", "every 2"));
    };
    connect(steps, &QSpinBox::valueChanged, this, showUnit);
    showUnit(steps->value());
    auto* share = add(tr("Time for previews, percent"),
                      tr("Previews are left out while they would take more of the time than this"),
                      Preferences::kMostPreviewPercent, m_preferences.previewPercent(),
                      tr("at most ", "so much of the time"), tr(" % of the time"), &Preferences::setPreviewPercent);
    auto* row = new QHBoxLayout;
    row->setSpacing(kGrid);
    row->addWidget(steps, 1);
    row->addWidget(share, 1);
    form.addRow(makeLabel(tr("Previews"), TextRole::Secondary), row);
}

void SettingsDialog::addModelFolders(QFormLayout& form) {
    auto* list = new QListWidget;
    list->setAccessibleName(tr("Folders with models"));
    list->setToolTip(tr("Where models are looked for, beside the one that is built in"));
    list->setFixedHeight(4 * list->fontMetrics().lineSpacing());
    list->setTextElideMode(Qt::ElideMiddle);
    auto* add = makeButton(tr("Add…"));
    add->setToolTip(tr("Look for models in another folder as well"));
    auto* remove = makeButton(tr("Remove"));
    remove->setToolTip(tr("Look no longer in this folder. Nothing in it is deleted."));
    const auto show = [this, list, remove] {
        list->clear();
        for (const QString& folder : m_preferences.modelFolders()) {
            list->addItem(QDir::toNativeSeparators(folder));
            list->item(list->count() - 1)->setToolTip(asToolTip(QDir::toNativeSeparators(folder)));
        }
        list->setCurrentRow(list->count() - 1);
        remove->setEnabled(list->count() > 0);
    };
    connect(add, &QPushButton::clicked, this, [this, show] {
        const QStringList folders = m_preferences.modelFolders();
        const QString chosen =
            QFileDialog::getExistingDirectory(this, tr("Folder with models"), folders.value(folders.size() - 1));
        if (!chosen.isEmpty() && !folders.contains(chosen)) {
            m_preferences.setModelFolders(folders + QStringList{chosen});
            show();
        }
    });
    connect(remove, &QPushButton::clicked, this, [this, list, show] {
        QStringList folders = m_preferences.modelFolders();
        if (list->currentRow() >= 0) {
            folders.removeAt(list->currentRow());
            m_preferences.setModelFolders(folders);
            show();
        }
    });
    show();
    auto* buttons = new QVBoxLayout;
    buttons->setSpacing(kGrid);
    buttons->addWidget(add);
    buttons->addWidget(remove);
    buttons->addStretch(1);
    auto* row = new QHBoxLayout;
    row->setSpacing(kGrid);
    row->addWidget(list, 1);
    row->addLayout(buttons);
    form.addRow(makeFieldLabel(tr("Model folders"), list), row);
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
