#include "ui/settings_form.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSettings>
#include <QSpinBox>
#include <cmath>

#include "ui/clip_presets.h"
#include "ui/controls.h"
#include "ui/formats.h"
#include "ui/seed_field.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kLargestSide = 8192;
constexpr int kMostFrames = 4097;
constexpr int kMostSteps = 1000;

double rate(const job::FrameRate& frameRate) {
    return static_cast<double>(frameRate.numerator) / static_cast<double>(frameRate.denominator);
}

QString shapeName(const QSize& size) {
    if (size.width() == size.height()) {
        return SettingsForm::tr("square");
    }
    return size.width() > size.height() ? SettingsForm::tr("wide") : SettingsForm::tr("tall");
}

QSpinBox* makeSpin(int smallest, int largest, const QString& name, const QString& toolTip) {
    auto* spin = new QSpinBox;
    spin->setRange(smallest, largest);
    spin->setAccessibleName(name);
    spin->setToolTip(toolTip);
    spin->setKeyboardTracking(true);
    return spin;
}

void addHeading(QGridLayout* grid, const QString& text) {
    const int row = grid->rowCount();
    if (row > 1) {
        grid->setRowMinimumHeight(row, kGrid);
    }
    grid->addWidget(makeLabel(text, TextRole::Heading), row + 1, 0, 1, 2);
}

void addRow(QGridLayout* grid, const QString& label, QWidget* control, QWidget* buddy = nullptr) {
    const int row = grid->rowCount();
    grid->addWidget(makeFieldLabel(label, buddy ? buddy : control), row, 0);
    grid->addWidget(control, row, 1);
}

}  // namespace

SettingsForm::SettingsForm(QWidget* parent) : QWidget(parent) {
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(kGrid);
    grid->setVerticalSpacing(kGrid);
    grid->setColumnMinimumWidth(0, kFieldLabelWidth);
    grid->setColumnStretch(1, 1);
    buildClipRows(grid);
    buildSamplingRows(grid);
    setDefaults(m_defaults);

    for (auto* combo : {m_size, m_length}) {
        connect(combo, &QComboBox::currentIndexChanged, this, [this] {
            showCustomRows();
            onChanged();
        });
    }
    for (auto* spin : {m_width, m_height, m_frames, m_steps}) {
        connect(spin, &QSpinBox::valueChanged, this, &SettingsForm::onChanged);
    }
    for (auto* spin : {m_guidance, m_shift, m_rate}) {
        connect(spin, &QDoubleSpinBox::valueChanged, this, &SettingsForm::onChanged);
    }
    connect(m_sampler, &QComboBox::currentIndexChanged, this, &SettingsForm::onChanged);
    connect(m_seed, &SeedField::changed, this, &SettingsForm::changed);
}

void SettingsForm::buildClipRows(QGridLayout* grid) {
    addHeading(grid, tr("Clip"));
    m_size = new QComboBox;
    m_size->setToolTip(tr("Width and height of the clip in pixels. Larger clips take much longer."));
    addRow(grid, tr("Size"), m_size);

    m_width = makeSpin(1, kLargestSide, tr("Width in pixels"), tr("Width in pixels"));
    m_height = makeSpin(1, kLargestSide, tr("Height in pixels"), tr("Height in pixels"));
    m_customSize = new QWidget;
    auto* row = new QHBoxLayout(m_customSize);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(kGrid);
    row->addWidget(m_width, 1);
    row->addWidget(makeLabel(QStringLiteral("×"), TextRole::Secondary));
    row->addWidget(m_height, 1);
    grid->addWidget(m_customSize, grid->rowCount(), 1);

    m_length = new QComboBox;
    m_length->setToolTip(tr("How many frames the clip has. Longer clips take much longer to make."));
    addRow(grid, tr("Length"), m_length);
    m_frames = makeSpin(1, kMostFrames, tr("Number of frames"), tr("Number of frames"));
    m_customLength = m_frames;
    grid->addWidget(m_customLength, grid->rowCount(), 1);

    m_rate = makeRateBox(1.0, 240.0);
    m_rate->setSuffix(tr(" per second"));
    m_rate->setToolTip(
        tr("Frames shown in a second. The model learned its own rate: others play the same movement faster or "
           "slower."));
    addRow(grid, tr("Frame rate"), m_rate);
}

void SettingsForm::buildSamplingRows(QGridLayout* grid) {
    addHeading(grid, tr("Sampling"));
    m_steps = makeSpin(1, kMostSteps, QString(),
                       tr("How many times the clip is refined. More steps look cleaner and take longer."));
    addRow(grid, tr("Steps"), m_steps);
    m_guidance = new QDoubleSpinBox;
    m_guidance->setRange(1.0, 30.0);
    m_guidance->setSingleStep(0.5);
    m_guidance->setDecimals(1);
    m_guidance->setToolTip(
        tr("How closely the clip follows the prompt. 1 switches guidance off and halves the time; "
           "high values look harsh."));
    addRow(grid, tr("Guidance"), m_guidance);
    m_shift = new QDoubleSpinBox;
    m_shift->setRange(0.01, 100.0);
    m_shift->setSingleStep(0.5);
    m_shift->setDecimals(2);
    m_shift->setToolTip(
        tr("How much of the work goes into the whole picture rather than its details. Larger clips want more."));
    addRow(grid, tr("Shift"), m_shift);
    m_sampler = new QComboBox;
    m_sampler->addItem(tr("UniPC"), static_cast<int>(job::SamplerKind::UniPc));
    m_sampler->addItem(tr("Euler"), static_cast<int>(job::SamplerKind::Euler));
    m_sampler->setToolTip(
        tr("How one step leads to the next. UniPC needs fewer steps; Euler is the plain reference."));
    addRow(grid, tr("Sampler"), m_sampler);
    m_seed = new SeedField;
    addRow(grid, tr("Seed"), m_seed, m_seed->edit());
}

void SettingsForm::setDefaults(const job::ModelDefaults& defaults) {
    const QSize size(m_width->value(), m_height->value());
    const qint64 frames = m_frames->value();
    m_filling = true;
    // These belong to the model unless somebody chose others.
    if (!m_touched || frameRate() == m_defaults.frameRate) {
        setRate(defaults.frameRate);
    }
    if (!m_touched || std::abs(m_shift->value() - m_defaults.shift) < 0.005) {
        m_shift->setValue(defaults.shift);
    }
    m_defaults = defaults;
    m_size->clear();
    const auto sizes = sizePresets(defaults);
    for (const QSize& preset : sizes) {
        m_size->addItem(tr("%1 × %2, %3").arg(preset.width()).arg(preset.height()).arg(shapeName(preset)), preset);
    }
    m_size->addItem(tr("Custom…"));
    m_length->clear();
    for (const qint64 preset : lengthPresets(defaults)) {
        const auto seconds = static_cast<double>(preset) / rate(defaults.frameRate);
        m_length->addItem(
            preset == 1 ? tr("1 frame, a still") : tr("%1 frames, %2").arg(preset).arg(durationText(seconds)),
            preset);
    }
    m_length->addItem(tr("Custom…"));
    m_width->setSingleStep(static_cast<int>(defaults.sizeMultiple));
    m_height->setSingleStep(static_cast<int>(defaults.sizeMultiple));
    m_frames->setSingleStep(static_cast<int>(defaults.frameMultiple));
    if (m_touched) {
        selectSize(size);
        selectLength(frames);
    } else {
        selectSize(sizes.first());
        selectLength(defaults.frames);
        m_steps->setValue(defaults.steps);
        m_guidance->setValue(defaults.guidance);
    }
    m_filling = false;
    showCustomRows();
    markWrongFields();
    emit changed();
}

void SettingsForm::setRate(const job::FrameRate& frameRate) {
    m_exactRate = frameRate;
    m_rate->setValue(rate(frameRate));
}

job::FrameRate SettingsForm::frameRate() const {
    if (std::abs(m_rate->value() - rate(m_exactRate)) < 0.0006) {
        return m_exactRate;
    }
    return job::frameRateFromText(QString::number(m_rate->value(), 'f', 3).toStdString()).value_or(m_exactRate);
}

void SettingsForm::selectSize(const QSize& size) {
    m_width->setValue(size.width());
    m_height->setValue(size.height());
    const int preset = m_size->findData(size);
    m_size->setCurrentIndex(preset >= 0 ? preset : m_size->count() - 1);
}

void SettingsForm::selectLength(qint64 frames) {
    m_frames->setValue(static_cast<int>(frames));
    const int preset = m_length->findData(frames);
    m_length->setCurrentIndex(preset >= 0 ? preset : m_length->count() - 1);
}

void SettingsForm::showCustomRows() {
    // The spin boxes follow the preset, so that "Custom…" starts from what was chosen last.
    const QVariant size = m_size->currentData();
    m_customSize->setVisible(!size.isValid());
    if (size.isValid()) {
        const bool wasFilling = std::exchange(m_filling, true);
        m_width->setValue(size.toSize().width());
        m_height->setValue(size.toSize().height());
        m_filling = wasFilling;
    }
    const QVariant frames = m_length->currentData();
    m_customLength->setVisible(!frames.isValid());
    if (frames.isValid()) {
        const bool wasFilling = std::exchange(m_filling, true);
        m_frames->setValue(frames.toInt());
        m_filling = wasFilling;
    }
}

void SettingsForm::onChanged() {
    markWrongFields();
    if (!m_filling) {
        m_touched = true;
        emit changed();
    }
}

void SettingsForm::markWrongFields() {
    setInvalid(m_width, m_width->value() % m_defaults.sizeMultiple != 0);
    setInvalid(m_height, m_height->value() % m_defaults.sizeMultiple != 0);
    setInvalid(m_frames, (m_frames->value() - 1) % m_defaults.frameMultiple != 0);
}

void SettingsForm::fill(job::GenerationRequest& request) const {
    request.width = m_width->value();
    request.height = m_height->value();
    request.frames = m_frames->value();
    request.frameRate = frameRate();
    request.steps = m_steps->value();
    request.guidance = m_guidance->value();
    request.shift = m_shift->value();
    request.sampler = static_cast<job::SamplerKind>(m_sampler->currentData().toInt());
    if (const auto seed = m_seed->seed()) {
        request.seed = *seed;
    }
}

void SettingsForm::show(const job::GenerationRequest& request) {
    m_filling = true;
    selectSize(QSize(static_cast<int>(request.width.value_or(m_defaults.width)),
                     static_cast<int>(request.height.value_or(m_defaults.height))));
    selectLength(request.frames.value_or(m_defaults.frames));
    m_steps->setValue(request.steps.value_or(m_defaults.steps));
    m_guidance->setValue(request.guidance.value_or(m_defaults.guidance));
    m_shift->setValue(request.shift.value_or(m_defaults.shift));
    setRate(request.frameRate.value_or(m_defaults.frameRate));
    m_sampler->setCurrentIndex(m_sampler->findData(static_cast<int>(request.sampler)));
    if (request.seed) {
        m_seed->setSeed(*request.seed);
    }
    m_filling = false;
    m_touched = true;
    showCustomRows();
    markWrongFields();
    emit changed();
}

void SettingsForm::save(QSettings& settings) const {
    settings.setValue(QStringLiteral("clip/chosen"), m_touched);
    settings.setValue(QStringLiteral("clip/width"), m_width->value());
    settings.setValue(QStringLiteral("clip/height"), m_height->value());
    settings.setValue(QStringLiteral("clip/frames"), m_frames->value());
    settings.setValue(QStringLiteral("clip/steps"), m_steps->value());
    settings.setValue(QStringLiteral("clip/guidance"), m_guidance->value());
    settings.setValue(QStringLiteral("clip/shift"), m_shift->value());
    settings.setValue(QStringLiteral("clip/rate"), QString::fromStdString(job::frameRateText(frameRate())));
    settings.setValue(QStringLiteral("clip/sampler"), m_sampler->currentIndex());
    settings.setValue(QStringLiteral("clip/seed"), m_seed->edit()->text());
    settings.setValue(QStringLiteral("clip/seedLocked"), m_seed->isLocked());
}

void SettingsForm::restore(const QSettings& settings) {
    if (!settings.value(QStringLiteral("clip/chosen")).toBool()) {
        return;
    }
    m_filling = true;
    selectSize(QSize(settings.value(QStringLiteral("clip/width"), m_width->value()).toInt(),
                     settings.value(QStringLiteral("clip/height"), m_height->value()).toInt()));
    selectLength(settings.value(QStringLiteral("clip/frames"), m_frames->value()).toInt());
    m_steps->setValue(settings.value(QStringLiteral("clip/steps"), m_steps->value()).toInt());
    m_guidance->setValue(settings.value(QStringLiteral("clip/guidance"), m_guidance->value()).toDouble());
    m_shift->setValue(settings.value(QStringLiteral("clip/shift"), m_shift->value()).toDouble());
    const auto rate = job::frameRateFromText(settings.value(QStringLiteral("clip/rate")).toString().toStdString());
    setRate(rate.value_or(frameRate()));
    m_sampler->setCurrentIndex(settings.value(QStringLiteral("clip/sampler"), 0).toInt());
    m_seed->edit()->setText(settings.value(QStringLiteral("clip/seed"), m_seed->edit()->text()).toString());
    m_seed->setLocked(settings.value(QStringLiteral("clip/seedLocked")).toBool());
    m_filling = false;
    m_touched = true;
    showCustomRows();
    markWrongFields();
    emit changed();
}

}  // namespace fw::ui
