#include "ui/inspector/memory_view.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "ui/inspector/chart.h"
#include "ui/inspector/scan_view.h"

namespace fw::ui {
namespace {

using trace::ProbeKind;

struct Memories {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Memories)
};

constexpr double kPieceWidth = 4.0;  // pixels, of the chart along the path

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Of the finite values; NaN without any.
double median(std::span<const float> values) {
    std::vector<float> sorted;
    std::copy_if(values.begin(), values.end(), std::back_inserter(sorted),
                 [](float v) { return std::isfinite(v); });
    if (sorted.empty()) {
        return static_cast<double>(kNaN);
    }
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    return static_cast<double>(*middle);
}

// How many review tokens a head would take evenly to take as much of each: 1 / Σ share².
double evenTokens(std::span<const float> shares) {
    double squares = 0.0;
    for (const float share : shares) {
        squares += std::isfinite(share) ? static_cast<double>(share) * static_cast<double>(share) : 0.0;
    }
    return squares > 0.0 ? 1.0 / squares : 0.0;
}

float logOf(float value) {
    return value > 0.0F && std::isfinite(value) ? std::log10(value) : kNaN;
}

QString tokensText(double tokens) {
    return Memories::tr("%1 tokens").arg(readable(tokens));
}

// Of what is made of a head's numbers.
quint64 keyOf(std::span<const float> values, const RunModel& run, std::initializer_list<int> settings) {
    quint64 key = 1469598103934665603ULL;
    const auto add = [&](quint64 part) { key = (key ^ part) * 1099511628211ULL; };
    for (const float value : values) {
        add(std::hash<float>()(value));
    }
    for (std::size_t axis = 0; axis < 3; ++axis) {
        add(static_cast<quint64>(run.probes().grid[axis]));
        add(static_cast<quint64>(run.probes().pool[axis]));
        add(static_cast<quint64>(run.probes().scan.review[axis]));
    }
    for (const int setting : settings) {
        add(static_cast<quint64>(setting));
    }
    return key;
}

std::array<int, 3> reviewGrid(const RunModel& run) {
    const auto& grid = run.probes().scan.review;
    return {static_cast<int>(grid[0]), static_cast<int>(grid[1]), static_cast<int>(grid[2])};
}

}  // namespace

QString MemoryView::title() const {
    return Memories::tr("Memory");
}

QString MemoryView::missing(const RunModel& run) const {
    if (run.table(ProbeKind::ScanMemory) != nullptr) {
        return {};
    }
    return Memories::tr(
        "No scans here: only LinGen's models have them, and the probe 'scan' shows how long they remember.");
}

bool MemoryView::showsReview(const RunModel& run) const {
    return m_review && run.table(ProbeKind::ReviewWeight) != nullptr && run.probes().scan.reviewTokens() > 0;
}

std::vector<ViewOption> MemoryView::options(const RunModel& run) const {
    std::vector<ViewOption> options;
    QStringList shown{Memories::tr("how long it remembers")};
    if (run.table(ProbeKind::ReviewWeight) != nullptr) {
        shown.append(Memories::tr("what it takes from the review tokens"));
    }
    options.push_back(
        {Memories::tr("Show"),
         Memories::tr("Tokens until half is forgotten, or the share of each review token in what the scan "
                      "begins with"),
         shown, showsReview(run) ? 1 : 0});
    options.push_back({Memories::tr("Direction"),
                       Memories::tr("The scan reads the clip from both ends"),
                       {Memories::tr("forwards"), Memories::tr("backwards")},
                       m_direction});
    return options;
}

void MemoryView::setOption(std::size_t option, int value) {
    if (option == 0) {
        m_review = value == 1;
    } else {
        m_direction = value;
    }
}

std::optional<MemoryView::Record> MemoryView::record(const RunModel& run, const Selection& at) const {
    const ProbeKind kind = showsReview(run) ? ProbeKind::ReviewWeight : ProbeKind::ScanMemory;
    const auto near = run.nearest(kind, at);
    const auto& scan = run.probes().scan;
    const qint64 index = near ? run.find(kind, *near, false) : -1;
    if (index < 0 || scan.heads < 1 || m_direction >= scan.directions) {
        return std::nullopt;
    }
    Record record;
    record.at = *near;
    const auto all = run.table(kind)->values(index);
    const std::size_t each = all.size() / static_cast<std::size_t>(scan.directions);
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(each * static_cast<std::size_t>(m_direction));
    record.values.assign(first, first + static_cast<std::ptrdiff_t>(each));
    record.cells = each / static_cast<std::size_t>(scan.heads);
    const qint64 memory = run.find(ProbeKind::ScanMemory, *near, false);
    record.order = memory >= 0 ? run.table(ProbeKind::ScanMemory)->item(memory) : 0;
    return record.cells > 0 ? std::optional(record) : std::nullopt;
}

void MemoryView::draw(Canvas& canvas, const QRectF& area, Scene& scene) {
    const auto shown = record(scene.run, scene.selection);
    if (!shown) {
        canvas.paragraph(area, Memories::tr("Nothing was kept of the scan here."), canvas.colours().textSecondary);
        return;
    }
    m_head = std::min(m_head, shown->heads() - 1);
    const double gap = 3 * kGrid;
    const double left = std::floor((area.width() - gap) * 0.36);
    drawHeads(canvas, {area.left(), area.top(), left, area.height()}, *shown);
    const QRectF right = area.adjusted(left + gap, 0, 0, 0);
    if (showsReview(scene.run)) {
        drawPlaces(canvas, right, scene, *shown);
        return;
    }
    const double upper = std::floor(right.height() * 0.62);
    drawPlaces(canvas, {right.left(), right.top(), right.width(), upper}, scene, *shown);
    drawAlong(canvas, right.adjusted(0, upper + gap, 0, 0), scene, *shown);
}

// A bar for each head, on a logarithmic scale.
void MemoryView::drawHeads(Canvas& canvas, const QRectF& area, const Record& shown) {
    const Colours& c = canvas.colours();
    const bool dark = c.text.lightness() > 128;
    const bool review = m_review && shown.cells > 0;
    canvas.text(area.topLeft(),
                canvas.elided(review ? Memories::tr("review tokens a head draws on")
                                     : Memories::tr("tokens until half is forgotten, median of places"),
                              area.width()),
                c.textSecondary);
    std::vector<double> values;
    double most = 1.0, least = std::numeric_limits<double>::infinity();
    for (std::size_t head = 0; head < shown.heads(); ++head) {
        values.push_back(review ? evenTokens(shown.head(head)) : median(shown.head(head)));
        if (std::isfinite(values.back()) && values.back() > 0.0) {
            most = std::max(most, values.back());
            least = std::min(least, values.back());
        }
    }
    const double low = std::log10(std::isfinite(least) ? least : 1.0) - 0.25, high = std::log10(most);
    const double top = area.top() + canvas.lineHeight() + 4;
    const double height =
        std::min(canvas.lineHeight() + 4, (area.bottom() - top) / static_cast<double>(values.size()));
    const bool numbers = height >= canvas.lineHeight() - 2;
    const double names = numbers ? canvas.textWidth(Memories::tr("head %1").arg(88)) + kGrid : 0.0;
    const double room = numbers ? canvas.textWidth(QStringLiteral("88 800")) + kGrid : 0.0;
    for (std::size_t head = 0; head < values.size(); ++head) {
        const QRectF row(area.left(), top + static_cast<double>(head) * height, area.width(), height);
        if (head == m_head) {
            canvas.fill(row, c.controlHover);
        }
        if (numbers) {
            canvas.textLeft({row.left() + 4, row.top(), names, height}, Memories::tr("head %1").arg(head + 1),
                            c.text);
            canvas.textRight({row.right() - room, row.top(), room - 4, height}, readable(values[head]), c.text);
        }
        const bool any = std::isfinite(values[head]) && values[head] > 0.0;
        const double part = any ? std::clamp((std::log10(values[head]) - low) / (high - low), 0.0, 1.0) : 0.0;
        const double full = std::max(10.0, row.width() - names - room);
        const double edge = height > 6 ? 2 : 0.5;
        canvas.fill({row.left() + names, row.top() + edge, full * part, height - 2 * edge},
                    categoryColour(0, dark));
        if (canvas.isHovered(row)) {
            canvas.setTip(Memories::tr("head %1: %2").arg(head + 1).arg(tokensText(values[head])));
        }
        if (canvas.isClicked(row)) {
            m_head = head;
        }
    }
}

// The chosen head over the frames.
void MemoryView::drawPlaces(Canvas& canvas, const QRectF& area, Scene& scene, const Record& shown) {
    const Colours& c = canvas.colours();
    const double line = canvas.lineHeight();
    const bool review = showsReview(scene.run);
    const auto grid = review ? reviewGrid(scene.run) : scene.run.grid();
    const auto own = shown.head(m_head);
    const auto cellOf = [&](int token) {
        return static_cast<std::size_t>(review ? token : static_cast<int>(scene.run.probes().blockOf(token)));
    };
    if (const quint64 key = keyOf(own, scene.run, {review ? 1 : 0}); key != m_places.key) {
        std::vector<float> cells(own.begin(), own.end());
        if (!review) {
            std::transform(own.begin(), own.end(), cells.begin(), logOf);
        }
        std::vector<float> values(static_cast<std::size_t>(grid[0]) * static_cast<std::size_t>(grid[1]) *
                                  static_cast<std::size_t>(grid[2]));
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = cells[cellOf(static_cast<int>(i))];
        }
        const HeatRange all = rangeOf(values);
        m_places = {key, std::move(values), review ? HeatRange{0.0F, all.most} : all};
    }
    const HeatRange range = m_places.range;
    canvas.text(area.topLeft(),
                canvas.elided((review ? Memories::tr("share of each review token; step %1, layer %2, head %3")
                                      : Memories::tr("tokens until half is forgotten; step %1, layer %2, head %3"))
                                  .arg(shown.at.step + 1)
                                  .arg(shown.at.layer + 1)
                                  .arg(m_head + 1),
                              area.width()),
                c.textSecondary);
    const double legend = 3 * line;
    const FrameGrid frames(area.adjusted(0, line + 2, 0, -legend - kGrid), grid, line);
    m_images.setValues(m_places.values, grid, range, 1.0, m_places.key);
    m_images.draw(canvas, frames);
    const int under = canvas.isHovered(frames.bounds()) ? frames.tokenAt(canvas.pointer()) : -1;
    if (under >= 0) {
        const double value = static_cast<double>(own[cellOf(under)]);
        canvas.setTip(tokenTitle(under, grid) + QLatin1Char('\n') +
                      (review ? Memories::tr("share %1").arg(readable(value)) : tokensText(value)));
        if (!review && canvas.isClicked(frames.bounds())) {
            scene.selection.token = under;
        }
    }
    const auto end = [&](float value) {
        return readable(review ? static_cast<double>(value) : std::pow(10.0, static_cast<double>(value)));
    };
    drawLegend(canvas, {area.left(), area.bottom() - legend, std::min(260.0, area.width()), legend},
               review ? Memories::tr("share of the scan's beginning") : Memories::tr("tokens, logarithmic"),
               end(range.least), end(range.most));
}

// The chosen head along the path of its scan.
void MemoryView::drawAlong(Canvas& canvas, const QRectF& area, const Scene& scene, const Record& shown) {
    const bool dark = canvas.colours().text.lightness() > 128;
    const auto own = shown.head(m_head);
    const auto grid = scene.run.grid();
    const int tokens = scene.run.tokens();
    double least = std::numeric_limits<double>::infinity(), most = 0.0;
    for (const float value : own) {
        if (std::isfinite(value) && value > 0.0F) {
            least = std::min(least, static_cast<double>(value));
            most = std::max(most, static_cast<double>(value));
        }
    }
    if (shown.order > static_cast<int>(ScanOrder::TemporalColumn) || !(most > 0.0)) {
        canvas.paragraph(area, Memories::tr("This layer's path through the clip is not one of LinGen's four."),
                         canvas.colours().textSecondary);
        return;
    }
    const Axis x{0.0, static_cast<double>(tokens), false, Memories::tr("place in the sequence")};
    const Axis y{least * 0.8, most * 1.25, true,
                 Memories::tr("tokens until half is forgotten, along the scan; range and mean")};
    const Chart chart(canvas, area, x, y);
    // Neighbours on the path differ much: what lies within a few pixels is shown as its range and its mean.
    const int pieces = std::clamp(static_cast<int>(chart.plot().width() / kPieceWidth), 1, tokens);
    const quint64 key = keyOf(own, scene.run, {shown.order, pieces});
    if (key != m_path.key) {
        m_path = {key, {}};
        std::vector<double> logs(own.size());  // of cells; NaN: there is none
        std::transform(own.begin(), own.end(), logs.begin(), [](float value) {
            return value > 0.0F && std::isfinite(value) ? std::log(static_cast<double>(value))
                                                        : static_cast<double>(kNaN);
        });
        for (int i = 0; i < pieces; ++i) {
            const int begin = static_cast<int>(static_cast<qint64>(i) * tokens / pieces),
                      end = static_cast<int>(static_cast<qint64>(i + 1) * tokens / pieces);
            double low = std::numeric_limits<double>::infinity(), high = -low, sum = 0.0;
            int count = 0;
            for (int position = begin; position < end; ++position) {
                const auto at = scanToken(static_cast<ScanOrder>(shown.order), grid, position);
                const int token = (at[0] * grid[1] + at[1]) * grid[2] + at[2];
                const double log = logs[static_cast<std::size_t>(scene.run.probes().blockOf(token))];
                if (std::isfinite(log)) {
                    low = std::min(low, log);
                    high = std::max(high, log);
                    sum += log;
                    ++count;
                }
            }
            if (count > 0) {
                m_path.pieces.push_back({begin, end, std::exp(low), std::exp(high), std::exp(sum / count)});
            }
        }
    }
    QPolygonF means;
    QColor faint = categoryColour(0, dark);
    faint.setAlphaF(0.35F);
    for (const Piece& piece : m_path.pieces) {
        const QPointF upper = chart.at(piece.begin, piece.high), lower = chart.at(piece.end, piece.low);
        canvas.fill({upper, QPointF(lower.x(), std::max(lower.y(), upper.y() + 1.0))}, faint);
        means.append(chart.at((piece.begin + piece.end) / 2.0, piece.mean));
    }
    canvas.path(means, categoryColour(0, dark));
}

QString MemoryView::caption(const Scene& scene) const {
    const auto shown = record(scene.run, scene.selection);
    if (!shown) {
        return Memories::tr("Nothing was kept of the scan here.");
    }
    const std::size_t head = std::min(m_head, shown->heads() - 1);
    const QString where = Memories::tr("step %1, layer %2, head %3, %4")
                              .arg(shown->at.step + 1)
                              .arg(shown->at.layer + 1)
                              .arg(head + 1)
                              .arg(m_direction == 0 ? Memories::tr("forwards") : Memories::tr("backwards"));
    if (showsReview(scene.run)) {
        return Memories::tr(
                   "The scan begins with what is left of %1 review tokens, as if it took %2 of them evenly; %3.")
            .arg(shown->cells)
            .arg(readable(evenTokens(shown->head(head))), where);
    }
    return Memories::tr("Half is forgotten after %1 along the scan, median of places; %2.")
        .arg(tokensText(median(shown->head(head))), where);
}

QList<QStringList> MemoryView::table(const Scene& scene) const {
    const bool review = showsReview(scene.run);
    QList<QStringList> rows{{QStringLiteral("head"), QStringLiteral("cell"),
                             review ? QStringLiteral("share") : QStringLiteral("half_life_tokens")}};
    const auto shown = record(scene.run, scene.selection);
    for (std::size_t head = 0; shown && head < shown->heads(); ++head) {
        for (std::size_t cell = 0; cell < shown->cells; ++cell) {
            rows.append({QString::number(head), QString::number(cell),
                         plain(static_cast<double>(shown->head(head)[cell]))});
        }
    }
    return rows;
}

}  // namespace fw::ui
