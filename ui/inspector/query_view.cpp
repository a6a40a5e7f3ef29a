#include "ui/inspector/query_view.h"

#include <QCoreApplication>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "ui/inspector/mask_tiles.h"

namespace fw::ui {
namespace {

using trace::ProbeKind;

struct Query {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Query)
};

constexpr double kGamma = 0.5;
constexpr int kSkippedShade =
    35;  // percent of the heat's lightness, above a dark grey, where the method did not look

std::array<int, 3> placeOf(int token, const std::array<int, 3>& grid) {
    return {token / (grid[1] * grid[2]), token / grid[2] % grid[1], token % grid[2]};
}

// The query that was kept nearest to a token, in its own frame where there is one.
int nearestQuery(const RunModel& run, int token) {
    const auto* table = run.table(ProbeKind::AttentionRow);
    const auto at = placeOf(std::max(0, token), run.grid());
    int best = -1, least = std::numeric_limits<int>::max();
    for (std::int64_t i = 0; table != nullptr && i < table->size(); ++i) {
        const auto there = placeOf(table->item(i), run.grid());
        const int distance =
            1000 * std::abs(at[0] - there[0]) + std::abs(at[1] - there[1]) + std::abs(at[2] - there[2]);
        if (distance < least) {
            least = distance;
            best = table->item(i);
        }
    }
    return best;
}

// Tokens whose tile the method skipped for this query.
std::vector<bool> skippedKeys(const RunModel& run, const Selection& at) {
    const qint64 record = run.find(ProbeKind::Mask, at);
    if (record < 0) {
        return {};
    }
    const auto* table = run.table(ProbeKind::Mask);
    const auto order = static_cast<trace::TileOrder>(table->item(record));
    const std::int64_t tiles = run.probes().maskTileCount();
    const MaskBits bits(table->record(record), tiles);
    const std::int64_t own = tileOf(at.token, run.probes(), order);
    std::vector<bool> skipped(static_cast<std::size_t>(run.tokens()));
    for (std::size_t i = 0; i < skipped.size(); ++i) {
        const std::int64_t tile = tileOf(static_cast<std::int64_t>(i), run.probes(), order);
        skipped[i] = own < tiles && tile < tiles && !bits.at(own, tile);
    }
    return skipped;
}

void addTo(std::vector<float>& sum, const std::vector<float>& values) {
    sum.resize(values.size(), 0.0F);
    std::transform(values.begin(), values.end(), sum.begin(), sum.begin(), std::plus<>());
}

}  // namespace

QString QueryView::title() const {
    return Query::tr("Patches and words");
}

QString QueryView::missing(const RunModel& run) const {
    const bool any = run.table(ProbeKind::AttentionRow) != nullptr ||
                     run.table(ProbeKind::AttentionKey) != nullptr ||
                     run.table(ProbeKind::AttentionMap) != nullptr || run.table(ProbeKind::WordHeat) != nullptr;
    return any ? QString() : missingProbes(Query::tr("attention of single patches or words"));
}

std::vector<ViewOption> QueryView::options(const RunModel& run) const {
    QStringList shown{Query::tr("where a patch attends")};
    if (run.table(ProbeKind::WordHeat) != nullptr) {
        for (const auto& word : run.probes().words) {
            shown.append(Query::tr("word: %1").arg(QString::fromStdString(word.text).simplified().left(40)));
        }
    }
    std::vector<ViewOption> options{
        {Query::tr("Show"), Query::tr("The attention of one patch to all others, or of all patches to a word"),
         shown, std::min(m_word + 1, static_cast<int>(shown.size()) - 1)}};
    if (m_word < 0) {
        options.push_back({Query::tr("Heads"),
                           Query::tr("One head, or the mean of those that were kept"),
                           {Query::tr("the chosen one"), Query::tr("mean of all")},
                           m_allHeads ? 1 : 0});
    }
    return options;
}

void QueryView::setOption(std::size_t option, int value) {
    if (option == 0) {
        m_word = value - 1;
    } else {
        m_allHeads = value == 1;
    }
}

QueryView::Heat QueryView::wordHeat(const RunModel& run, const Selection& selection) const {
    const auto near = run.nearest(ProbeKind::WordHeat, selection);
    if (!near) {
        return {{}, {}, selection, false, missingProbes(Query::tr("attention to words"))};
    }
    Heat heat;
    heat.at = *near;
    heat.at.word = m_word;
    const qint64 record = run.findItem(ProbeKind::WordHeat, {near->step, near->branch, near->layer, near->head}, 0);
    const auto values = run.table(ProbeKind::WordHeat)->values(record);
    const auto tokens = static_cast<std::size_t>(run.tokens());
    const auto first = static_cast<std::ptrdiff_t>(tokens * static_cast<std::size_t>(m_word));
    heat.values.assign(values.begin() + first, values.begin() + first + static_cast<std::ptrdiff_t>(tokens));
    return heat;
}

QueryView::Heat QueryView::operandHeat(const RunModel& run, const Selection& selection) const {
    Heat heat;
    if (m_computed.run != &run) {
        m_computed = {};  // another run may come to lie where this one lay
    }
    const auto near = run.nearest(ProbeKind::AttentionKey, selection);
    if (!near || run.table(ProbeKind::AttentionQuery) == nullptr) {
        return heat;
    }
    heat.at = *near;
    if (m_computed.run != nullptr && m_computed.at == *near && m_computed.allHeads == m_allHeads) {
        return m_computed.heat;
    }
    int heads = 0;
    for (int head = 0; head < run.heads(); ++head) {
        const trace::ProbeSite site{near->step, near->branch, near->layer, head};
        const qint64 query = run.findItem(ProbeKind::AttentionQuery, site, 0);
        const qint64 key = run.findItem(ProbeKind::AttentionKey, site, 0);
        if ((m_allHeads || head == near->head) && query >= 0 && key >= 0) {
            addTo(heat.values,
                  trace::attentionRow(run.table(ProbeKind::AttentionQuery)->record(query),
                                      run.table(ProbeKind::AttentionKey)->record(key), selection.token));
            ++heads;
        }
    }
    for (float& value : heat.values) {
        value /= static_cast<float>(std::max(1, heads));
    }
    m_computed = {&run, *near, m_allHeads, heat};
    return heat;
}

QueryView::Heat QueryView::rowHeat(const RunModel& run, const Selection& selection) const {
    const int query = nearestQuery(run, selection.token);
    // A row that was kept for this very patch first; then queries and keys, which know every patch.
    Heat heat = query == selection.token ? Heat() : operandHeat(run, selection);
    std::optional<Selection> near =
        query < 0 || !heat.values.empty() ? std::nullopt : run.nearest(ProbeKind::AttentionRow, selection);
    if (near) {
        heat.at = *near;
        heat.at.token = query;
        int heads = 0;
        for (int head = 0; head < run.heads(); ++head) {
            if (!m_allHeads && head != near->head) {
                continue;
            }
            const qint64 record =
                run.findItem(ProbeKind::AttentionRow, {near->step, near->branch, near->layer, head}, query);
            if (record >= 0) {
                addTo(heat.values, run.table(ProbeKind::AttentionRow)->values(record));
                ++heads;
            }
        }
        for (float& value : heat.values) {
            value /= static_cast<float>(std::max(1, heads));
        }
    }
    if (heat.values.empty() && run.table(ProbeKind::AttentionMap) != nullptr) {
        // Without the row itself: the row of the patch's block, shared out among the tokens of each block.
        near = run.nearest(ProbeKind::AttentionMap, selection);
        heat.at = *near;
        heat.pooled = true;
        const qint64 record = run.find(ProbeKind::AttentionMap, *near, near->head >= 0);
        const auto map = run.table(ProbeKind::AttentionMap)->values(record);
        const auto blocks = static_cast<std::size_t>(run.probes().blockCount());
        const auto row = static_cast<std::size_t>(run.probes().blockOf(selection.token)) * blocks;
        std::vector<int> sizes(blocks, 0);
        for (int token = 0; token < run.tokens(); ++token) {
            ++sizes[static_cast<std::size_t>(run.probes().blockOf(token))];
        }
        heat.values.resize(static_cast<std::size_t>(run.tokens()));
        for (int token = 0; token < run.tokens(); ++token) {
            const auto block = static_cast<std::size_t>(run.probes().blockOf(token));
            heat.values[static_cast<std::size_t>(token)] = map[row + block] / static_cast<float>(sizes[block]);
        }
    }
    if (heat.values.empty()) {
        heat.problem = missingProbes(Query::tr("attention of single patches"));
    } else if (!m_allHeads) {
        heat.skipped = skippedKeys(run, heat.at);
    }
    return heat;
}

QueryView::Heat QueryView::heat(const RunModel& run, const Selection& selection) const {
    const bool word = m_word >= 0 && m_word < static_cast<int>(run.probes().words.size()) &&
                      run.table(ProbeKind::WordHeat) != nullptr;
    Selection at = selection;
    at.token = selection.token >= 0 ? selection.token : run.tokens() / 2 + run.grid()[2] / 2;
    at.token = std::clamp(at.token, 0, run.tokens() - 1);
    return word ? wordHeat(run, at) : rowHeat(run, at);
}

void QueryView::refresh(const Scene& scene) {
    const bool over = scene.clip != nullptr;
    if (m_run == &scene.run && m_shown == scene.selection && m_shownWord == m_word && m_shownAll == m_allHeads &&
        m_overClip == over) {
        return;
    }
    m_run = &scene.run;
    m_shown = scene.selection;
    m_shownWord = m_word;
    m_shownAll = m_allHeads;
    m_overClip = over;
    m_heat = heat(scene.run, scene.selection);
    m_images.clear();
    if (m_heat.values.empty()) {
        return;
    }
    m_range = {0.0F, rangeOf(m_heat.values).most};
    const auto grid = scene.run.grid();
    std::size_t token = 0;
    for (int t = 0; t < grid[0]; ++t) {
        QImage image(grid[2], grid[1], QImage::Format_ARGB32);
        for (int h = 0; h < grid[1]; ++h) {
            for (int w = 0; w < grid[2]; ++w, ++token) {
                const float part = std::sqrt(std::max(0.0F, m_heat.values[token] / m_range.most));
                QColor colour = QColor::fromRgb(heatColour(part));
                if (!m_heat.skipped.empty() && m_heat.skipped[token]) {
                    const int grey = 64 + qGray(colour.rgb()) * kSkippedShade / 100;
                    colour = QColor(grey, grey, grey);
                }
                if (over) {
                    colour.setAlphaF(
                        static_cast<float>(std::clamp(0.35 + 0.6 * static_cast<double>(part), 0.0, 1.0)));
                }
                image.setPixelColor(w, h, colour);
            }
        }
        m_images.push_back(std::move(image));
    }
}

void QueryView::drawWords(Canvas& canvas, const QRectF& area, const RunModel& run) {
    const Colours& c = canvas.colours();
    double x = area.left();
    for (std::size_t i = 0; i < run.probes().words.size(); ++i) {
        const QString word = QString::fromStdString(run.probes().words[i].text).simplified().left(40);
        const QRectF box(x, area.top(), canvas.textWidth(word) + 2 * kGrid, canvas.lineHeight() + 8);
        if (box.right() > area.right()) {
            break;  // the rest is in the list of words above
        }
        const bool chosen = m_word == static_cast<int>(i);
        canvas.fill(box, chosen ? c.accent : canvas.isHovered(box) ? c.controlHover : c.control);
        canvas.frame(box, chosen ? c.accent : c.line);
        canvas.textCentred(box, word, chosen ? c.onAccent : c.text);
        if (canvas.isClicked(box)) {
            m_word = chosen ? -1 : static_cast<int>(i);
        }
        x = box.right() + 6;
    }
}

void QueryView::draw(Canvas& canvas, const QRectF& area, Scene& scene) {
    const Colours& c = canvas.colours();
    const double line = canvas.lineHeight();
    const auto grid = scene.run.grid();
    m_word = m_word < static_cast<int>(scene.run.probes().words.size()) ? m_word : -1;
    double top = area.top();
    if (scene.run.table(ProbeKind::WordHeat) != nullptr) {
        drawWords(canvas, {area.left(), top, area.width(), line + 8}, scene.run);
        top += line + 8 + kGrid;
    }
    refresh(scene);
    if (m_heat.values.empty()) {
        canvas.paragraph({area.left(), top, area.width(), area.bottom() - top}, m_heat.problem, c.textSecondary);
        return;
    }
    const double legend = 3 * line + kGrid;
    const FrameGrid frames({area.left(), top, area.width(), area.bottom() - top - legend}, grid, line);
    for (int t = 0; t < grid[0]; ++t) {
        const QRectF place = frames.frame(t);
        if (const QImage picture = clipFrame(scene.clip, t, grid[0]); !picture.isNull()) {
            canvas.image(place, picture, true);
        }
        canvas.image(place, m_images[static_cast<std::size_t>(t)]);
        canvas.text({place.left(), place.top() - line}, QString::number(t + 1), c.textSecondary);
    }
    const int own = m_heat.at.token;
    if (m_word < 0) {
        if (const auto* table = scene.run.table(ProbeKind::AttentionRow); table != nullptr) {
            for (const std::int32_t query : scene.run.probes().queries) {
                if (query >= 0 && query < scene.run.tokens()) {
                    canvas.dot(frames.cell(query).center(), 2.0, QColor(255, 255, 255, 200));
                }
            }
        }
        canvas.frame(frames.cell(own).adjusted(-1, -1, 1, 1), Qt::black, 3);
        canvas.frame(frames.cell(own).adjusted(-1, -1, 1, 1), Qt::white, 1.5);
    }
    if (const int under = canvas.isHovered(frames.bounds()) ? frames.tokenAt(canvas.pointer()) : -1; under >= 0) {
        canvas.frame(frames.cell(under), Qt::white, 1);
        QString tip = tokenTitle(under, grid) + QLatin1Char('\n') +
                      Query::tr("attention %1")
                          .arg(readable(static_cast<double>(m_heat.values[static_cast<std::size_t>(under)])));
        if (!m_heat.skipped.empty() && m_heat.skipped[static_cast<std::size_t>(under)]) {
            tip += QLatin1Char('\n') + Query::tr("skipped by the method");
        }
        canvas.setTip(tip);
        if (canvas.isClicked(frames.bounds())) {
            scene.selection.token = under;
            m_word = -1;
        }
    }
    const double below = area.bottom() - legend + kGrid;
    drawLegend(canvas, {area.left(), below, std::min(240.0, area.width() * 0.4), legend},
               Query::tr("attention mass, square root"), QStringLiteral("0"),
               readable(static_cast<double>(m_range.most)), kGamma);
    std::vector<std::pair<QColor, QString>> key;
    if (m_word < 0 && scene.run.table(ProbeKind::AttentionRow) != nullptr) {
        key.emplace_back(Qt::white, Query::tr("kept exactly"));
    }
    if (!m_heat.skipped.empty()) {
        key.emplace_back(QColor(70, 70, 70), Query::tr("skipped by the method"));
    }
    drawKey(canvas, {area.left() + std::min(240.0, area.width() * 0.4) + 3 * kGrid, below}, key);
}

QString QueryView::caption(const Scene& scene) const {
    const Heat shown = heat(scene.run, scene.selection);
    if (shown.values.empty()) {
        return shown.problem;
    }
    const QString where = Query::tr("step %1, layer %2").arg(shown.at.step + 1).arg(shown.at.layer + 1);
    if (shown.at.word >= 0 && m_word >= 0) {
        const auto& word = scene.run.probes().words[static_cast<std::size_t>(m_word)].text;
        return Query::tr("Attention of all patches to the word '%1', %2, mean of heads.")
            .arg(QString::fromStdString(word).simplified(), where);
    }
    const auto most = std::max_element(shown.values.begin(), shown.values.end()) - shown.values.begin();
    QString text =
        Query::tr("The patch at %1 attends most to %2 (%3); %4, %5.")
            .arg(tokenTitle(shown.at.token, scene.run.grid()), tokenTitle(static_cast<int>(most), scene.run.grid()),
                 readable(static_cast<double>(shown.values[static_cast<std::size_t>(most)])), where,
                 m_allHeads ? Query::tr("mean of heads") : Query::tr("head %1").arg(shown.at.head + 1));
    if (shown.pooled) {
        text += QLatin1Char(' ') + Query::tr("From the pooled map: each block's mass is shared out evenly.");
    }
    return text;
}

QList<QStringList> QueryView::table(const Scene& scene) const {
    QList<QStringList> rows{{QStringLiteral("t"), QStringLiteral("h"), QStringLiteral("w"), QStringLiteral("mass"),
                             QStringLiteral("skipped")}};
    const Heat shown = heat(scene.run, scene.selection);
    for (std::size_t i = 0; i < shown.values.size(); ++i) {
        const auto at = placeOf(static_cast<int>(i), scene.run.grid());
        rows.append({QString::number(at[0]), QString::number(at[1]), QString::number(at[2]),
                     plain(static_cast<double>(shown.values[i])),
                     QString::number(!shown.skipped.empty() && shown.skipped[i] ? 1 : 0)});
    }
    return rows;
}

}  // namespace fw::ui
