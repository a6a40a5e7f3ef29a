#include "ui/export_dialog.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDesktopServices>
#include <QDir>
#include <QDoubleSpinBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>
#include <QSettings>
#include <QSlider>
#include <QSpinBox>
#include <QStandardItemModel>
#include <QStandardPaths>
#include <QUrl>
#include <QVBoxLayout>

#include "ui/controls.h"
#include "ui/dialogs.h"
#include "ui/error_presenter.h"
#include "ui/export_estimate.h"
#include "ui/formats.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

using app::ExportFormat;

constexpr int kMargin = 3 * kGrid;
constexpr int kWidth = 560;
constexpr int kDefaultQuality = 75;
constexpr int kMaxNameBytes = 240;  // file systems hold 255; the unfinished file adds ".part"

QString explain(ExportFormat format) {
    switch (format) {
        case ExportFormat::H264:
            return ExportDialog::tr("Plays everywhere: browsers, phones, chats, editors.");
        case ExportFormat::H265:
            return ExportDialog::tr("Smaller than H.264; plays on newer phones, Macs and televisions.");
        case ExportFormat::Vp9:
            return ExportDialog::tr("For web pages; plays in every browser.");
        case ExportFormat::Av1:
            return ExportDialog::tr("The smallest video; takes longest to write and needs a recent player.");
        case ExportFormat::ProRes:
            return ExportDialog::tr("For editing: large, 10 bits per colour, quick to cut and to grade.");
        case ExportFormat::Ffv1:
            return ExportDialog::tr("For archives and measuring: every pixel exactly as it was made.");
        case ExportFormat::Gif:
            return ExportDialog::tr("Plays in any chat or page, with 256 colours; best for short, small clips.");
        case ExportFormat::WebP:
            return ExportDialog::tr("Like GIF with all colours and smaller; loses nothing at quality 100.");
        case ExportFormat::Png:
            return ExportDialog::tr("A folder with one lossless picture for each frame.");
    }
    return {};
}

QString safeName(const QString& name) {
    QString safe = name;
    return safe.replace(QLatin1Char('/'), QLatin1Char('_')).replace(QLatin1Char('\n'), QLatin1Char(' '));
}

// `name` as one line of at most some forty characters, for headings.
QString shortName(const QString& file) {
    constexpr int kMost = 48;
    const QString name = safeName(QFileInfo(file).fileName());
    return name.size() <= kMost ? name : name.left(kMost / 2) + QStringLiteral("…") + name.right(kMost / 2 - 1);
}

}  // namespace

ExportDialog::ExportDialog(app::ClipFiles& clips, const QList<QString>& files, QWidget* parent)
    : QDialog(parent), m_clips(clips), m_formats(app::exportFormats()), m_files(files) {
    setWindowTitle(tr("Export"));
    setMinimumWidth(kWidth);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(kMargin, kMargin, kMargin, kMargin);
    column->setSpacing(kGrid);
    auto* title = makeLabel(m_files.size() == 1 ? tr("Export “%1”").arg(shortName(m_files.first()))
                                                : tr("Export %1 clips").arg(m_files.size()),
                            TextRole::Title);
    title->setTextFormat(Qt::PlainText);
    column->addWidget(title);
    m_about = makeLabel(tr("Reading the clip…"), TextRole::Secondary, true);
    m_about->setTextFormat(Qt::PlainText);
    column->addWidget(m_about);
    column->addSpacing(kGrid);

    m_form = new QWidget;
    auto* grid = new QGridLayout(m_form);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(2 * kGrid);
    grid->setVerticalSpacing(kGrid);
    grid->setColumnStretch(1, 1);
    buildForm(grid);
    buildTarget(grid);
    grid->setRowStretch(grid->rowCount(), 1);  // what is left of the height stays below the last row
    column->addWidget(m_form, 1);
    column->addWidget(buildFooter());
    restore();

    connect(&m_clips, &app::ClipFiles::inspected, this, &ExportDialog::onInspected);
    connect(&m_clips, &app::ClipFiles::inspectFailed, this, &ExportDialog::onInspectFailed);
    connect(&m_clips, &app::ClipFiles::exported, this, &ExportDialog::onExported);
    connect(&m_clips, &app::ClipFiles::exportFailed, this, &ExportDialog::onExportFailed);
    connect(&m_clips, &app::ClipFiles::exportProgress, this, [this](quint64 id, double fraction) {
        if (const auto found = m_running.find(id); found != m_running.end()) {
            found->fraction = fraction;
            showProgress();
        }
    });
    for (const QString& file : std::as_const(m_files)) {
        m_clips.inspect(file);
    }
    onFormatChanged();
    m_format->setFocus();
}

ExportDialog::~ExportDialog() {
    for (const quint64 id : m_running.keys()) {
        m_clips.cancelExport(id);
    }
}

void ExportDialog::addRow(QGridLayout* grid, const QString& label, QWidget* control) {
    const int row = grid->rowCount();
    grid->addWidget(makeFieldLabel(label, control), row, 0);
    grid->addWidget(control, row, 1);
}

void ExportDialog::buildForm(QGridLayout* grid) {
    m_format = new QComboBox;
    m_format->setToolTip(tr("What kind of file is written"));
    auto* items = qobject_cast<QStandardItemModel*>(m_format->model());
    for (const auto& info : std::as_const(m_formats)) {
        m_format->addItem(info.name);
        if (!info.unavailable.isEmpty() && items != nullptr) {
            auto* item = items->item(m_format->count() - 1);
            item->setEnabled(false);
            item->setToolTip(asToolTip(asSentence(info.unavailable.toStdString())));
            item->setText(tr("%1 (not installed)").arg(info.name));
        }
    }
    addRow(grid, tr("Format"), m_format);
    m_explanation = makeLabel(QString(), TextRole::Caption, true);
    grid->addWidget(m_explanation, grid->rowCount(), 1);

    m_copy = new QCheckBox(tr("Copy the file as it is"));
    m_copy->setToolTip(tr("The clip has this format already: copying loses nothing. Uncheck to encode it again."));
    m_copy->setChecked(true);
    grid->addWidget(m_copy, grid->rowCount(), 1);

    m_quality = new QSlider(Qt::Horizontal);
    m_quality->setRange(1, 100);
    m_quality->setPageStep(10);
    m_quality->setAccessibleName(tr("Quality"));
    m_quality->setToolTip(tr("Higher looks better and makes larger files. 75 looks like the original."));
    m_qualityValue = makeLabel(QString(), TextRole::Body);
    m_qualityValue->setMinimumWidth(m_qualityValue->fontMetrics().horizontalAdvance(QStringLiteral("1000")));
    m_qualityValue->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_qualityRow = new QWidget;
    auto* qualityRow = new QHBoxLayout(m_qualityRow);
    qualityRow->setContentsMargins(0, 0, 0, 0);
    qualityRow->addWidget(m_quality, 1);
    qualityRow->addWidget(m_qualityValue);
    m_qualityRow->setMinimumHeight(kControlHeight);
    addRow(grid, tr("Quality"), m_qualityRow);
    m_qualityLabel = qobject_cast<QLabel*>(grid->itemAtPosition(grid->rowCount() - 1, 0)->widget());
    m_qualityLabel->setBuddy(m_quality);

    m_scale = new QSpinBox;
    m_scale->setRange(1, 400);
    m_scale->setValue(100);
    m_scale->setSingleStep(25);
    m_scale->setSuffix(tr(" %"));
    m_scale->setToolTip(tr("Width and height of the exported clip, in percent of the original"));
    m_scale->setAccessibleName(tr("Size in percent"));
    m_size = makeLabel(QString(), TextRole::Secondary);
    auto* sizeRow = new QWidget;
    auto* sizeLine = new QHBoxLayout(sizeRow);
    sizeLine->setContentsMargins(0, 0, 0, 0);
    sizeLine->setSpacing(2 * kGrid);
    sizeLine->addWidget(m_scale, 1);
    sizeLine->addWidget(m_size, 1);
    addRow(grid, tr("Size"), sizeRow);

    m_rate = makeRateBox(0.0, 240.0);
    m_rate->setSpecialValueText(tr("As in the clip"));
    m_rate->setToolTip(
        tr("Frames per second. Frames are left out or repeated, so the clip lasts as long as before."));
    addRow(grid, tr("Frames per second"), m_rate);

    m_loops = new QSpinBox;
    m_loops->setRange(0, 1000);
    m_loops->setSpecialValueText(tr("For ever"));
    m_loops->setToolTip(tr("How often the picture plays before it stops"));
    addRow(grid, tr("Plays"), m_loops);
    m_loopsLabel = qobject_cast<QLabel*>(grid->itemAtPosition(grid->rowCount() - 1, 0)->widget());

    m_first = new QSpinBox;
    m_last = new QSpinBox;
    m_first->setAccessibleName(tr("First frame"));
    m_last->setAccessibleName(tr("Last frame"));
    m_first->setToolTip(tr("First frame to export, counted from 1"));
    m_last->setToolTip(tr("Last frame to export"));
    m_range = new QWidget;
    auto* rangeRow = new QHBoxLayout(m_range);
    rangeRow->setContentsMargins(0, 0, 0, 0);
    rangeRow->setSpacing(2 * kGrid);
    rangeRow->addWidget(m_first, 1);
    rangeRow->addWidget(makeLabel(tr("to"), TextRole::Secondary));
    rangeRow->addWidget(m_last, 1);
    addRow(grid, tr("Frames"), m_range);
    m_rangeLabel = qobject_cast<QLabel*>(grid->itemAtPosition(grid->rowCount() - 1, 0)->widget());
    m_rangeLabel->setBuddy(m_first);
    m_range->setHidden(m_files.size() != 1);
    m_rangeLabel->setHidden(m_files.size() != 1);

    m_settings = new QCheckBox(tr("Keep prompt and settings in the file"));
    m_settings->setToolTip(
        tr("Dropped onto this window, the file brings them back. Uncheck to share a clip without its prompt."));
    m_settings->setChecked(true);
    grid->addWidget(m_settings, grid->rowCount(), 1);

    connect(m_format, &QComboBox::currentIndexChanged, this, &ExportDialog::onFormatChanged);
    for (auto* box : {m_copy, m_settings}) {
        connect(box, &QCheckBox::toggled, this, &ExportDialog::refresh);
    }
    connect(m_quality, &QSlider::valueChanged, this, &ExportDialog::refresh);
    for (auto* spin : {m_scale, m_loops, m_first, m_last}) {
        connect(spin, &QSpinBox::valueChanged, this, &ExportDialog::refresh);
    }
    connect(m_rate, &QDoubleSpinBox::valueChanged, this, &ExportDialog::refresh);
}

void ExportDialog::buildTarget(QGridLayout* grid) {
    grid->setRowMinimumHeight(grid->rowCount(), kGrid);
    m_name = new QLineEdit;
    m_name->setToolTip(tr("Name of the new file; its ending follows the format"));
    addRow(grid, tr("Name"), m_name);
    m_nameLabel = qobject_cast<QLabel*>(grid->itemAtPosition(grid->rowCount() - 1, 0)->widget());
    m_name->setHidden(m_files.size() != 1);
    m_nameLabel->setHidden(m_files.size() != 1);

    m_folder = new QLineEdit;
    m_folder->setToolTip(tr("Folder that the new files are put into"));
    m_folder->setAccessibleName(tr("Folder"));
    auto* choose = makeButton(tr("Choose…"));
    choose->setToolTip(tr("Choose a folder"));
    auto* folderRow = new QWidget;
    auto* folderLine = new QHBoxLayout(folderRow);
    folderLine->setContentsMargins(0, 0, 0, 0);
    folderLine->addWidget(m_folder, 1);
    folderLine->addWidget(choose);
    addRow(grid, tr("Folder"), folderRow);
    qobject_cast<QLabel*>(grid->itemAtPosition(grid->rowCount() - 1, 0)->widget())->setBuddy(m_folder);
    m_preview = makeLabel(QString(), TextRole::Caption, true);
    m_preview->setTextFormat(Qt::PlainText);
    grid->addWidget(m_preview, grid->rowCount(), 1);

    connect(m_name, &QLineEdit::textEdited, this, [this] { m_nameTouched = true; });
    connect(m_name, &QLineEdit::textChanged, this, &ExportDialog::refresh);
    connect(m_folder, &QLineEdit::textChanged, this, &ExportDialog::refresh);
    connect(choose, &QPushButton::clicked, this, &ExportDialog::chooseFolder);
}

QWidget* ExportDialog::buildFooter() {
    auto* footer = new QWidget;
    auto* column = new QVBoxLayout(footer);
    column->setContentsMargins(0, kGrid, 0, 0);
    column->setSpacing(kGrid);
    m_progress = new QProgressBar;
    m_progress->setRange(0, 1000);
    m_progress->setTextVisible(false);
    m_progress->setAccessibleName(tr("Progress of the export"));
    m_progress->hide();
    column->addWidget(m_progress);
    m_message = makeLabel(QString(), TextRole::Body, true);
    m_message->setTextFormat(Qt::PlainText);
    m_message->setMinimumHeight(2 * m_message->fontMetrics().lineSpacing());
    m_message->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    column->addWidget(m_message);
    auto* row = new QHBoxLayout;
    row->setSpacing(kGrid);
    m_show = makeButton(tr("Show file"));
    m_show->setToolTip(tr("Open the folder that the new file is in"));
    m_show->hide();
    m_cancel = makeButton(tr("Close"));
    m_cancel->setToolTip(tr("Close without exporting (Esc)"));
    m_export = makeButton(tr("Export"), QStringLiteral("primary"));
    m_export->setDefault(true);
    row->addWidget(m_show);
    row->addStretch(1);
    row->addWidget(m_cancel);
    row->addWidget(m_export);
    column->addLayout(row);
    connect(m_show, &QPushButton::clicked, this, [this] {
        QDesktopServices::openUrl(QUrl::fromLocalFile(QFileInfo(m_written.value(0)).absolutePath()));
    });
    connect(m_cancel, &QPushButton::clicked, this, &ExportDialog::reject);
    connect(m_export, &QPushButton::clicked, this, &ExportDialog::start);
    return footer;
}

void ExportDialog::restore() {
    const QSettings settings;
    const QString movies = QStandardPaths::writableLocation(QStandardPaths::MoviesLocation);
    QString folder = settings.value(QStringLiteral("export/folder"), movies).toString();
    if (!QFileInfo(folder).isDir()) {
        folder = QDir::homePath();
    }
    m_folder->setText(QDir::toNativeSeparators(folder));
    m_quality->setValue(settings.value(QStringLiteral("export/quality"), kDefaultQuality).toInt());
    const QString id = settings.value(QStringLiteral("export/format")).toString();
    for (int i = 0; i < m_formats.size(); ++i) {
        if (m_formats[i].id == id && m_formats[i].unavailable.isEmpty()) {
            m_format->setCurrentIndex(i);
        }
    }
    m_name->setText(QFileInfo(m_files.first()).completeBaseName());
}

void ExportDialog::remember() const {
    QSettings settings;
    settings.setValue(QStringLiteral("export/folder"), QDir::fromNativeSeparators(m_folder->text()));
    settings.setValue(QStringLiteral("export/quality"), m_quality->value());
    settings.setValue(QStringLiteral("export/format"), format().id);
}

void ExportDialog::onInspected(const app::ClipFacts& facts) {
    if (!m_files.contains(facts.file) || m_facts.contains(facts.file)) {
        return;  // somebody else's question, or asked twice
    }
    m_facts.insert(facts.file, facts);
    if (m_files.size() == 1) {
        const int frames = static_cast<int>(std::min<qint64>(facts.frames, 1'000'000));
        for (auto* spin : {m_first, m_last}) {
            const QSignalBlocker quiet(spin);
            spin->setRange(1, frames);
            spin->setValue(spin == m_first ? 1 : frames);
        }
    }
    onFormatChanged();
}

void ExportDialog::onInspectFailed(const QString& file, const Error& error) {
    if (m_files.contains(file) && !m_facts.contains(file)) {
        m_unreadable.append(asSentence(error.message));
        m_files.removeOne(file);
        onFormatChanged();
    }
}

app::ExportFormatInfo ExportDialog::format() const {
    return m_formats[std::max(0, m_format->currentIndex())];
}

bool ExportDialog::canCopy() const {
    const auto info = format();
    const bool whole = m_scale->value() == 100 && m_rate->value() == 0.0 && m_settings->isChecked() &&
                       m_first->value() == m_first->minimum() && m_last->value() == m_last->maximum();
    return whole && !m_facts.isEmpty() && !info.extension.isEmpty() &&
           std::all_of(m_facts.begin(), m_facts.end(), [&](const app::ClipFacts& facts) {
               return facts.codec == info.codec && facts.extension == info.extension;
           });
}

app::ExportOptions ExportDialog::options() const {
    app::ExportOptions options;
    options.format = format().format;
    options.quality = m_quality->value();
    options.framesPerSecond = m_rate->value();
    options.loops = m_loops->value();
    options.scalePercent = m_scale->value();
    if (m_range->isVisibleTo(m_form)) {
        options.firstFrame = m_first->value() - 1;
        options.lastFrame = m_last->value() == m_last->maximum() ? -1 : m_last->value() - 1;
    }
    options.embedSettings = m_settings->isChecked();
    options.copyWhenSame = canCopy() && m_copy->isChecked();
    return options;
}

QString ExportDialog::nameFor(const QString& file) const {
    const QString name = m_name->isHidden() ? QFileInfo(file).completeBaseName() : m_name->text().trimmed();
    const QString extension = format().extension;
    // A typed ending is not doubled.
    return name.endsWith(extension, Qt::CaseInsensitive) ? name.chopped(extension.size()) : name;
}

QStringList ExportDialog::targets() const {
    const QDir folder(QDir::fromNativeSeparators(m_folder->text()));
    QStringList targets;
    for (const QString& file : m_files) {
        const QString name = nameFor(file), extension = format().extension;
        QString target = folder.absoluteFilePath(name + extension);
        // Never onto a clip that is exported, nor two onto one another.
        for (int number = 2; targets.contains(target) || m_files.contains(target); ++number) {
            target = folder.absoluteFilePath(QStringLiteral("%1 (%2)%3").arg(name).arg(number).arg(extension));
        }
        targets.append(target);
    }
    return targets;
}

QString ExportDialog::problem() const {
    if (m_files.isEmpty()) {
        return m_unreadable.value(0);
    }
    if (m_facts.size() < m_files.size()) {
        return tr("Reading the clip…");
    }
    if (!format().unavailable.isEmpty()) {
        return asSentence(format().unavailable.toStdString());
    }
    const QString name = nameFor(m_files.first());
    if (name.isEmpty() || name == QLatin1String(".") || name == QLatin1String("..")) {
        return tr("Give the new file a name.");
    }
    if (!m_name->isHidden() && name.contains(QLatin1Char('/'))) {
        return tr("A name cannot hold a “/”.");
    }
    if (name.toUtf8().size() > kMaxNameBytes) {
        return tr("The name is too long; shorten it.");
    }
    const QFileInfo folder(QDir::fromNativeSeparators(m_folder->text()));
    if (m_folder->text().isEmpty() || !folder.isDir()) {
        return tr("There is no folder of this name; choose another one.");
    }
    if (!folder.isWritable()) {
        return tr("Nothing can be written into this folder; choose another one.");
    }
    if (m_first->value() > m_last->value()) {
        return tr("The first frame comes after the last one.");
    }
    for (const QString& target : targets()) {
        const QFileInfo there(target);
        if (there.isDir() && (!format().extension.isEmpty() || !QDir(target).isEmpty())) {
            return tr("A folder “%1” exists already; choose another name.").arg(shortName(target));
        }
    }
    return {};
}

QString ExportDialog::preview() const {
    if (m_files.isEmpty() || m_facts.size() < m_files.size()) {
        return {};
    }
    const auto chosen = options();
    qint64 bytes = 0;
    for (const auto& facts : m_facts) {
        bytes += chosen.copyWhenSame ? facts.bytes : estimateExportBytes(facts, chosen);
    }
    const QStringList files = targets();
    const QString what = files.size() == 1
                             ? shortName(files.first())
                             : tr("%1 and %2 more").arg(shortName(files.first())).arg(files.size() - 1);
    return bytes > 0 ? tr("%1, about %2").arg(what, bytesText(bytes)) : what;
}

void ExportDialog::onFormatChanged() {
    const auto info = format();
    m_explanation->setText(explain(info.format));
    m_loops->setVisible(info.hasLoops);
    m_loopsLabel->setVisible(info.hasLoops);
    refresh();
}

void ExportDialog::refresh() {
    const auto info = format();
    const bool copy = canCopy() && m_copy->isChecked();
    m_copy->setVisible(canCopy());
    m_qualityRow->setVisible(info.hasQuality && !copy);
    m_qualityLabel->setVisible(info.hasQuality && !copy);
    m_qualityValue->setText(QLocale().toString(m_quality->value()));
    if (m_facts.size() == 1 && m_files.size() == 1) {
        const auto& facts = *m_facts.begin();
        const auto scaled = [&](int side) { return std::max(1, (side * m_scale->value() + 50) / 100); };
        m_size->setText(tr("%1 × %2 pixels").arg(scaled(facts.width)).arg(scaled(facts.height)));
        m_about->setText(tr("%1 × %2 pixels, %3 frames, %4, %5")
                             .arg(facts.width)
                             .arg(facts.height)
                             .arg(countText(facts.frames),
                                  durationText(facts.framesPerSecond > 0.0
                                                   ? static_cast<double>(facts.frames) / facts.framesPerSecond
                                                   : 0.0),
                                  bytesText(facts.bytes)));
    } else if (m_files.isEmpty()) {
        m_about->clear();  // the reason stands below
        m_form->setEnabled(false);
    } else if (m_facts.size() == m_files.size()) {
        m_about->setText(m_unreadable.isEmpty() ? tr("All of them get the same settings and keep their names.")
                                                : m_unreadable.join(QLatin1Char('\n')));
    }
    if (running()) {
        return;
    }
    const QString blocked = problem();
    m_export->setEnabled(blocked.isEmpty());
    m_export->setToolTip(blocked.isEmpty() ? tr("Write the new file (Enter)") : blocked);
    m_export->setAccessibleDescription(blocked);
    m_preview->setText(preview());
    setStyleProperty(m_message, "tone", QStringLiteral("secondary"));
    m_message->setText(blocked);
    m_show->hide();
    m_cancel->setText(tr("Close"));
}

void ExportDialog::chooseFolder() {
    const QString chosen = QFileDialog::getExistingDirectory(this, tr("Folder for exported clips"),
                                                             QDir::fromNativeSeparators(m_folder->text()));
    if (!chosen.isEmpty()) {
        m_folder->setText(QDir::toNativeSeparators(chosen));
    }
}

void ExportDialog::setFormEnabled(bool enabled) {
    m_form->setEnabled(enabled);
    m_progress->setVisible(!enabled);
    m_cancel->setText(enabled ? tr("Close") : tr("Cancel"));
    m_cancel->setToolTip(enabled ? tr("Close (Esc)") : tr("Stop exporting; no unfinished file stays (Esc)"));
    m_export->setVisible(enabled);
}

void ExportDialog::start() {
    if (running() || !problem().isEmpty()) {
        return;
    }
    const QStringList to = targets();
    for (const QString& target : to) {
        if (QFileInfo(target).isFile() && !askToReplace(this, target)) {
            return;
        }
    }
    remember();
    m_written.clear();
    m_failures.clear();
    m_total = static_cast<int>(to.size());
    const auto chosen = options();
    for (int i = 0; i < m_total; ++i) {
        m_running.insert(m_clips.startExport(m_files[i], to[i], chosen), {i, 0.0});
    }
    m_show->hide();
    setFormEnabled(false);
    m_cancel->setFocus();
    showProgress();
}

void ExportDialog::showProgress() {
    const int over = static_cast<int>(m_written.size() + m_failures.size());
    double done = over;
    for (const Running& one : std::as_const(m_running)) {
        done += one.fraction;
    }
    m_progress->setValue(static_cast<int>(1000.0 * done / std::max(1, m_total)));
    setStyleProperty(m_message, "tone", QStringLiteral("secondary"));
    m_message->setText(m_total == 1 ? tr("Writing…") : tr("Writing clip %1 of %2…").arg(over + 1).arg(m_total));
}

void ExportDialog::onExported(quint64 id, const QString& to) {
    if (m_running.remove(id) > 0) {
        m_written.append(to);
        running() ? showProgress() : showResult();
    }
}

void ExportDialog::onExportFailed(quint64 id, const QString& to, const Error& error) {
    if (m_running.remove(id) > 0) {
        m_failures.append(tr("%1: %2").arg(shortName(to), asSentence(error.message)));
        running() ? showProgress() : showResult();
    }
}

void ExportDialog::showResult() {
    setFormEnabled(true);
    setStyleProperty(m_message, "tone", m_failures.isEmpty() ? QString() : QStringLiteral("danger"));
    if (!m_failures.isEmpty()) {
        m_message->setText(m_failures.join(QLatin1Char('\n')));
    } else if (m_written.size() == 1) {
        m_message->setText(
            tr("Saved %1, %2.").arg(shortName(m_written.first()), bytesText(QFileInfo(m_written.first()).size())));
    } else {
        m_message->setText(tr("Saved %1 clips.").arg(m_written.size()));
    }
    m_show->setVisible(!m_written.isEmpty());
    m_show->setText(m_total == 1 ? tr("Show file") : tr("Show files"));
    (m_failures.isEmpty() ? m_show : m_cancel)->setFocus();
    if (m_failures.isEmpty()) {
        emit finishedExport(m_written);
    }
}

void ExportDialog::cancelExport() {
    for (const quint64 id : m_running.keys()) {
        m_clips.cancelExport(id);
    }
    m_running.clear();
    setFormEnabled(true);
    setStyleProperty(m_message, "tone", QStringLiteral("secondary"));
    m_message->setText(m_written.isEmpty() ? tr("Cancelled; nothing was written.")
                                           : tr("Cancelled; written so far: %1.").arg(m_written.size()));
    m_show->setVisible(!m_written.isEmpty());
    m_export->setFocus();
}

void ExportDialog::reject() {
    if (running()) {
        cancelExport();
    } else {
        QDialog::reject();
    }
}

void ExportDialog::keyPressEvent(QKeyEvent* event) {
    const bool enter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
    if (enter && !running() && m_export->isEnabled() && focusWidget() != m_show && focusWidget() != m_cancel) {
        start();
        return;
    }
    QDialog::keyPressEvent(event);
}

}  // namespace fw::ui
