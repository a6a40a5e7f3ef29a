// Size, length, frame rate, steps, guidance, shift, sampler and seed of the next clip.
#pragma once

#include <QWidget>

#include "core/job/generation_request.h"

class QComboBox;
class QDoubleSpinBox;
class QGridLayout;
class QSettings;
class QSpinBox;

namespace fw::ui {

class SeedField;

// Of the labels in front of the fields of the prompt panel's forms, so that the fields stand in one column.
inline constexpr int kFieldLabelWidth = 96;

class SettingsForm : public QWidget {
    Q_OBJECT

 public:
    explicit SettingsForm(QWidget* parent = nullptr);

    // Offers the sizes and lengths of a model. Values chosen before stay where the user chose them; else its
    // defaults.
    void setDefaults(const job::ModelDefaults& defaults);
    // Writes every field of the form into `request`.
    void fill(job::GenerationRequest& request) const;
    // Shows the fields of a request that has them all.
    void show(const job::GenerationRequest& request);

    [[nodiscard]] SeedField* seedField() const { return m_seed; }

    void save(QSettings& settings) const;
    void restore(const QSettings& settings);

 signals:
    void changed();

 private:
    void buildClipRows(QGridLayout* grid);
    void buildSamplingRows(QGridLayout* grid);
    void selectSize(const QSize& size);
    void selectLength(qint64 frames);
    void showCustomRows();
    void markWrongFields();
    void onChanged();
    void setRate(const job::FrameRate& frameRate);
    [[nodiscard]] job::FrameRate frameRate() const;

    job::FrameRate m_exactRate;  // behind the three decimals of m_rate
    job::ModelDefaults m_defaults;
    bool m_touched = false;  // the user chose something: a new model's defaults do not overwrite it
    bool m_filling = false;

    QComboBox* m_size;
    QWidget* m_customSize;
    QSpinBox* m_width;
    QSpinBox* m_height;
    QComboBox* m_length;
    QWidget* m_customLength;
    QSpinBox* m_frames;
    QDoubleSpinBox* m_rate;
    QSpinBox* m_steps;
    QDoubleSpinBox* m_guidance;
    QDoubleSpinBox* m_shift;
    QComboBox* m_sampler;
    SeedField* m_seed;
};

}  // namespace fw::ui
