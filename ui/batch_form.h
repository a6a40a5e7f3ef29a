// How many clips one press of Run makes: seeds, lines, alternatives in braces, and what comes of them.
#pragma once

#include <QWidget>

#include "core/job/prompt_expansion.h"

class QCheckBox;
class QLabel;
class QSettings;
class QSpinBox;

namespace fw::ui {

class FoldedSection;

class BatchForm : public QWidget {
    Q_OBJECT

 public:
    explicit BatchForm(QWidget* parent = nullptr);

    [[nodiscard]] job::BatchOptions options() const;
    // Shows how many clips `base` and the prompt text make, and the first of their prompts.
    void showExpansion(const job::GenerationRequest& base, const QString& text);
    // Clips the last shown expansion makes; 0 when it cannot be made.
    [[nodiscard]] qint64 count() const { return m_count; }
    // Why the last shown expansion cannot be made, one sentence; empty: it can.
    [[nodiscard]] QString problem() const { return m_problem; }
    // Announces nothing; show the expansion afterwards.
    void setOptions(const job::BatchOptions& options);

    void save(QSettings& settings) const;
    void restore(const QSettings& settings);

 signals:
    void changed();

 private:
    qint64 m_count = 1;
    QString m_problem;

    FoldedSection* m_section;
    QSpinBox* m_seeds;
    QCheckBox* m_eachLine;
    QCheckBox* m_all;
    QLabel* m_preview;
};

}  // namespace fw::ui
