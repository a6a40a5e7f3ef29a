#include "ui/machine_form.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QSettings>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "ui/controls.h"
#include "ui/folded_section.h"
#include "ui/settings_form.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr double kGibibyte = 1024.0 * 1024.0 * 1024.0;
constexpr double kMostGibibytes = 4096.0;
constexpr double kLeastGibibytes = 0.01;
constexpr int kMostThreads = 1024;

QString textOf(const Json& device, const char* field) {
    const auto found = device.is_object() ? device.find(field) : device.end();
    return found != device.end() && found->is_string() ? QString::fromStdString(found->get<std::string>())
                                                       : QString();
}

}  // namespace

MachineForm::MachineForm(QWidget* parent) : QWidget(parent) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, kGrid, 0, 0);
    column->setSpacing(kGrid);
    m_section =
        new FoldedSection(tr("Machine"), tr("What computes the clip, how exactly, and with how much memory"));
    m_device = new QComboBox;
    m_device->setToolTip(tr("What computes the clip. Automatic: a graphics card that can, else the processor."));
    m_device->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_device->setMinimumContentsLength(8);
    m_section->addRow(tr("Device"), m_device);
    m_type = new QComboBox;
    m_type->addItem(tr("Automatic"), QStringLiteral("auto"));
    m_type->addItem(tr("bf16, quick"), QStringLiteral("bf16"));
    m_type->addItem(tr("f32, exact"), QStringLiteral("f32"));
    m_type->addItem(tr("fp8, quickest"), QStringLiteral("fp8"));
    m_type->setToolTip(
        tr("Number type the model computes in. fp8 needs a graphics card that has it, and changes the clip a "
           "little."));
    m_section->addRow(tr("Precision"), m_type);
    m_memory = new QDoubleSpinBox;
    m_memory->setRange(0.0, kMostGibibytes);
    m_memory->setDecimals(2);
    m_memory->setSingleStep(0.5);
    m_memory->setSuffix(tr(" GiB"));
    m_memory->setSpecialValueText(tr("All that is free"));
    m_memory->setToolTip(
        tr("The most memory the clip may take. With less, weights wait outside and the clip is decoded in smaller "
           "pieces; what cannot fit is refused before it begins."));
    m_section->addRow(tr("Memory"), m_memory);
    m_threads = new QSpinBox;
    m_threads->setRange(0, kMostThreads);
    m_threads->setSpecialValueText(tr("All"));
    m_threads->setToolTip(tr("Threads of the processor that compute"));
    m_section->addRow(tr("Threads"), m_threads);
    column->addWidget(m_section);
    setDevices(Json::array());

    connect(m_device, &QComboBox::currentIndexChanged, this, &MachineForm::changed);
    connect(m_type, &QComboBox::currentIndexChanged, this, &MachineForm::changed);
    connect(m_memory, &QDoubleSpinBox::valueChanged, this, &MachineForm::changed);
    connect(m_threads, &QSpinBox::valueChanged, this, &MachineForm::changed);
}

void MachineForm::setDevices(const Json& devices) {
    const QSignalBlocker quiet(m_device);
    const QString chosen = m_device->currentData().toString();
    m_device->clear();
    m_device->addItem(tr("Automatic"), QStringLiteral("auto"));
    for (const Json& device : devices) {
        const QString id = textOf(device, "id");
        const QString name = textOf(device, "name");
        m_device->addItem(name.isEmpty() ? id : QStringLiteral("%1, %2").arg(id, name), id);
    }
    chooseDevice(chosen.isEmpty() ? QStringLiteral("auto") : chosen);
}

void MachineForm::chooseDevice(const QString& id) {
    if (m_device->findData(id) < 0) {
        m_device->addItem(tr("%1, not here").arg(id), id);  // of a clip made elsewhere
    }
    m_device->setCurrentIndex(m_device->findData(id));
}

std::optional<std::int64_t> MachineForm::budget() const {
    if (m_memory->value() <= 0.0) {
        return std::nullopt;
    }
    const double exact = static_cast<double>(m_exactBudget.value_or(0)) / kGibibyte;
    if (m_exactBudget && std::abs(m_memory->value() - std::max(exact, kLeastGibibytes)) < kLeastGibibytes / 2) {
        return m_exactBudget;
    }
    return static_cast<std::int64_t>(m_memory->value() * kGibibyte);
}

void MachineForm::fill(job::GenerationRequest& request) const {
    request.device = m_device->currentData().toString().toStdString();
    request.dtype = m_type->currentData().toString().toStdString();
    request.threads = m_threads->value();
    request.memoryBudget = budget();
}

bool MachineForm::isPlain() const {
    job::GenerationRequest request;
    fill(request);
    return request == job::GenerationRequest();
}

void MachineForm::show(const job::GenerationRequest& request) {
    {
        const QSignalBlocker device(m_device), type(m_type), memory(m_memory), threads(m_threads);
        chooseDevice(QString::fromStdString(request.device));
        m_type->setCurrentIndex(std::max(0, m_type->findData(QString::fromStdString(request.dtype))));
        m_exactBudget = request.memoryBudget;
        m_memory->setValue(
            m_exactBudget ? std::max(kLeastGibibytes, static_cast<double>(*m_exactBudget) / kGibibyte) : 0.0);
        m_threads->setValue(request.threads);
    }
    if (!isPlain()) {
        m_section->setOpen(true);
    }
    emit changed();
}

void MachineForm::save(QSettings& settings) const {
    job::GenerationRequest request;
    fill(request);
    settings.setValue(QStringLiteral("machine/device"), QString::fromStdString(request.device));
    settings.setValue(QStringLiteral("machine/precision"), QString::fromStdString(request.dtype));
    settings.setValue(QStringLiteral("machine/threads"), request.threads);
    settings.setValue(QStringLiteral("machine/memory"),
                      QVariant::fromValue<qlonglong>(request.memoryBudget.value_or(0)));
}

void MachineForm::restore(const QSettings& settings) {
    job::GenerationRequest request;
    request.device =
        settings.value(QStringLiteral("machine/device"), QStringLiteral("auto")).toString().toStdString();
    request.dtype =
        settings.value(QStringLiteral("machine/precision"), QStringLiteral("auto")).toString().toStdString();
    request.threads = settings.value(QStringLiteral("machine/threads"), 0).toInt();
    if (const auto bytes = settings.value(QStringLiteral("machine/memory"), 0).toLongLong(); bytes > 0) {
        request.memoryBudget = bytes;
    }
    show(request);
}

}  // namespace fw::ui
