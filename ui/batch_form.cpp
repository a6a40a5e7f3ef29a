#include "ui/batch_form.h"

#include <QCheckBox>
#include <QLabel>
#include <QSettings>
#include <QSpinBox>
#include <QVBoxLayout>

#include "ui/controls.h"
#include "ui/error_presenter.h"
#include "ui/folded_section.h"
#include "ui/formats.h"
#include "ui/settings_form.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kShownPrompts = 4;
constexpr int kShownCharacters = 72;

QString shortened(const std::string& prompt) {
    const QString text = QString::fromStdString(prompt);
    return text.size() <= kShownCharacters ? text : text.left(kShownCharacters - 1) + QStringLiteral("…");
}

}  // namespace

BatchForm::BatchForm(QWidget* parent) : QWidget(parent) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, kGrid, 0, 0);
    column->setSpacing(kGrid);
    m_section = new FoldedSection(
        tr("Several clips"),
        tr("Make several clips at once: other seeds, a list of prompts, or alternatives in braces"));
    m_seeds = new QSpinBox;
    m_seeds->setRange(1, static_cast<int>(job::kMaxBatch));
    m_seeds->setToolTip(tr("How many clips of each prompt, with one seed after another"));
    m_section->addRow(tr("Seeds"), m_seeds);
    m_eachLine = new QCheckBox(tr("Each line is a prompt of its own"));
    m_eachLine->setToolTip(tr("Write or paste a list of prompts, one on each line"));
    m_section->addRow(m_eachLine);
    m_all = new QCheckBox(tr("All alternatives in {a|b}"));
    m_all->setToolTip(tr(
        "Write {red|blue} fox to try both colours. Checked: a clip for every combination. Unchecked: each clip's "
        "seed picks one."));
    m_section->addRow(m_all);
    column->addWidget(m_section);
    m_preview = makeLabel(QString(), TextRole::Caption, true);
    m_preview->setTextFormat(Qt::PlainText);
    m_preview->setProperty("tone", QStringLiteral("secondary"));
    m_preview->setAccessibleName(tr("Clips that will be made"));
    column->addWidget(m_preview);

    connect(m_seeds, &QSpinBox::valueChanged, this, &BatchForm::changed);
    connect(m_eachLine, &QCheckBox::toggled, this, &BatchForm::changed);
    connect(m_all, &QCheckBox::toggled, this, &BatchForm::changed);
    m_preview->hide();
}

job::BatchOptions BatchForm::options() const {
    return {m_eachLine->isChecked(), m_all->isChecked(), m_seeds->value()};
}

void BatchForm::showExpansion(const job::GenerationRequest& base, const QString& text) {
    const std::string prompts = text.toStdString();
    const auto count = job::countBatch(prompts, options());
    m_count = 0;
    m_problem = count ? QString() : asSentence(count.error().message);
    QStringList lines;
    if (count && *count > job::kMaxBatch) {
        m_problem =
            tr("These would be %1 clips; at most %2 can be queued at once.")
                .arg(*count >= job::PromptTemplate::kMostCombinations ? tr("billions of") : countText(*count),
                     countText(job::kMaxBatch));
    } else if (count) {
        m_count = *count;
        const auto first = job::expandBatch(base, prompts, options(), kShownPrompts);
        // One clip of one prompt without alternatives is what the prompt box shows already.
        const bool plain = first && m_count == 1 && first->front().prompt == text.simplified().toStdString();
        if (first && m_count > 0 && !plain) {
            lines.append(m_count == 1 ? tr("1 clip:") : tr("%1 clips:").arg(countText(m_count)));
            for (const auto& request : *first) {
                lines.append(tr("%1  ·  seed %2").arg(shortened(request.prompt)).arg(*request.seed));
            }
            if (m_count > static_cast<qint64>(first->size())) {
                lines.append(QStringLiteral("…"));
            }
        }
    }
    // What stands in the way is said beside Run.
    m_preview->setText(lines.join(QLatin1Char('\n')));
    m_preview->setHidden(lines.isEmpty());
}

void BatchForm::setOptions(const job::BatchOptions& options) {
    const QSignalBlocker quiet(this);
    m_seeds->setValue(static_cast<int>(options.seeds));
    m_eachLine->setChecked(options.eachLine);
    m_all->setChecked(options.allCombinations);
    if (options.seeds > 1 || options.eachLine || options.allCombinations) {
        m_section->setOpen(true);
    }
}

void BatchForm::save(QSettings& settings) const {
    settings.setValue(QStringLiteral("batch/seeds"), m_seeds->value());
    settings.setValue(QStringLiteral("batch/eachLine"), m_eachLine->isChecked());
    settings.setValue(QStringLiteral("batch/all"), m_all->isChecked());
}

void BatchForm::restore(const QSettings& settings) {
    m_seeds->setValue(settings.value(QStringLiteral("batch/seeds"), 1).toInt());
    m_eachLine->setChecked(settings.value(QStringLiteral("batch/eachLine")).toBool());
    m_all->setChecked(settings.value(QStringLiteral("batch/all")).toBool());
    m_section->setOpen(m_seeds->value() > 1 || m_eachLine->isChecked() || m_all->isChecked());
}

}  // namespace fw::ui
