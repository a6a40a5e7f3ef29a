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
#include <QLocale>
#include <QPushButton>
#include <QSpinBox>
#include <QUrl>
#include <QVBoxLayout>

#include "ui/controls.h"
#include "ui/preferences.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kMostSteps = 50;
constexpr int kMostShare = 50;
constexpr int kWidth = 64 * kGrid;

// A language by its own name, so that those who read it find it.
QString languageName(const QString& code) {
    const QLocale locale(code);
    QString name = locale.nativeLanguageName();
    if (!name.isEmpty()) {
        name[0] = name[0].toUpper();
    }
    return name;
}

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
    addPreviews(*form);
    addLibrary(*form, library);
    addModels(*form);
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

    auto* language = new QComboBox;
    language->addItem(tr("As the system"), QString());
    for (const auto* code : {"en", "zh_CN", "ru"}) {
        language->addItem(languageName(QLatin1String(code)), QLatin1String(code));
    }
    language->setCurrentIndex(std::max(0, language->findData(m_preferences.language())));
    language->setToolTip(tr("The language of the window, from the next start on"));
    connect(language, &QComboBox::activated, this,
            [this, language] { m_preferences.setLanguage(language->currentData().toString()); });
    form.addRow(makeFieldLabel(tr("Language"), language), language);

    auto* notify = new QCheckBox(tr("Tell me when a clip is done and I am elsewhere"));
    notify->setAccessibleName(notify->text());
    notify->setToolTip(tr("A notification of the desktop, only while another window is active"));
    notify->setChecked(m_preferences.notifies());
    connect(notify, &QCheckBox::toggled, &m_preferences, &Preferences::setNotifies);
    form.addRow(QString(), notify);
}

void SettingsDialog::addPreviews(QFormLayout& form) {
    auto* every = new QSpinBox;
    every->setRange(1, kMostSteps);
    every->setValue(m_preferences.previewEvery());
    every->setAccessibleName(tr("Steps between previews"));
    every->setToolTip(tr("Show the clip in the making after every so many steps"));
    connect(every, &QSpinBox::valueChanged, &m_preferences, &Preferences::setPreviewEvery);
    auto* share = new QSpinBox;
    share->setRange(0, kMostShare);
    share->setSuffix(tr(" %"));
    share->setSpecialValueText(tr("none"));
    share->setValue(m_preferences.previewShare());
    share->setAccessibleName(tr("Most time for previews"));
    share->setToolTip(tr("How much longer a clip may take because of its previews; none switches them off"));
    connect(share, &QSpinBox::valueChanged, &m_preferences, &Preferences::setPreviewShare);
    auto* row = new QHBoxLayout;
    row->setSpacing(kGrid);
    row->addWidget(makeLabel(tr("every"), TextRole::Body));
    row->addWidget(every);
    row->addWidget(makeLabel(tr("steps, at most"), TextRole::Body));
    row->addWidget(share);
    row->addWidget(makeLabel(tr("of the time"), TextRole::Body));
    row->addStretch(1);
    form.addRow(makeLabel(tr("Previews"), TextRole::Secondary), row);
}

void SettingsDialog::addLibrary(QFormLayout& form, const QString& library) {
    const QString path = QDir::toNativeSeparators(library);
    auto* label = makeLabel(QString(), TextRole::Body);
    label->setText(label->fontMetrics().elidedText(path, Qt::ElideMiddle, kWidth / 2));
    label->setToolTip(path);
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

void SettingsDialog::addModels(QFormLayout& form) {
    m_folders = new QListWidget;
    m_folders->addItems(m_preferences.modelFolders());
    m_folders->setAccessibleName(tr("Model folders"));
    m_folders->setToolTip(tr("These folders, and those directly inside them, are looked through for models"));
    m_folders->setFixedHeight(12 * kGrid);
    auto* add = makeButton(tr("Add…"));
    add->setToolTip(tr("Add a folder with models"));
    auto* remove = makeButton(tr("Remove"));
    remove->setToolTip(tr("Forget the chosen folder; nothing on the disk changes"));
    remove->setEnabled(false);
    connect(m_folders, &QListWidget::currentRowChanged, remove,
            [remove](int row) { remove->setEnabled(row >= 0); });
    connect(add, &QPushButton::clicked, this, [this] {
        const QString folder = QFileDialog::getExistingDirectory(this, tr("Folder with models"));
        if (!folder.isEmpty() && m_folders->findItems(folder, Qt::MatchExactly).isEmpty()) {
            m_folders->addItem(folder);
            saveFolders();
        }
    });
    connect(remove, &QPushButton::clicked, this, [this] {
        delete m_folders->takeItem(m_folders->currentRow());
        saveFolders();
    });
    auto* buttons = new QVBoxLayout;
    buttons->setSpacing(kGrid);
    buttons->addWidget(add);
    buttons->addWidget(remove);
    buttons->addStretch(1);
    auto* row = new QHBoxLayout;
    row->setSpacing(kGrid);
    row->addWidget(m_folders, 1);
    row->addLayout(buttons);
    form.addRow(makeLabel(tr("Model folders"), TextRole::Secondary), row);
}

void SettingsDialog::saveFolders() {
    QStringList folders;
    for (int i = 0; i < m_folders->count(); ++i) {
        folders.append(m_folders->item(i)->text());
    }
    m_preferences.setModelFolders(folders);
}

}  // namespace fw::ui
