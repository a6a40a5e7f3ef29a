// Where and in which precision the next clip is computed, and how much memory it may take.
#pragma once

#include <QWidget>
#include <optional>

#include "core/base/json.h"
#include "core/job/generation_request.h"

class QComboBox;
class QDoubleSpinBox;
class QSettings;
class QSpinBox;

namespace fw::ui {

class FoldedSection;

// Folded away until it says something else than "as the engine likes it".
class MachineForm : public QWidget {
    Q_OBJECT

 public:
    explicit MachineForm(QWidget* parent = nullptr);

    // The engine's devices: [{"id", "name", …}]. The choice stays, also when it is none of them.
    void setDevices(const Json& devices);
    // Writes device, number type, threads and memory budget into `request`.
    void fill(job::GenerationRequest& request) const;
    // Shows those of `request`.
    void show(const job::GenerationRequest& request);

    void save(QSettings& settings) const;
    void restore(const QSettings& settings);

 signals:
    void changed();

 private:
    void chooseDevice(const QString& id);
    [[nodiscard]] std::optional<std::int64_t> budget() const;
    [[nodiscard]] bool isPlain() const;

    std::optional<std::int64_t> m_exactBudget;  // behind the two decimals of m_memory

    FoldedSection* m_section;
    QComboBox* m_device;
    QComboBox* m_type;
    QDoubleSpinBox* m_memory;
    QSpinBox* m_threads;
};

}  // namespace fw::ui
