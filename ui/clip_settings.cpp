#include "ui/clip_settings.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>
#include <algorithm>
#include <array>

#include "core/base/json.h"
#include "ui/formats.h"

namespace fw::ui {
namespace {

struct Settings {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Settings)
};

QString text(const std::string& utf8) {
    return QString::fromStdString(utf8);
}

struct KnownSetting {
    const char* key;
    QString name;
};
// In the order they are shown.
std::vector<KnownSetting> knownSettings() {
    return {{"prompt", Settings::tr("Prompt")},
            {"negative_prompt", Settings::tr("Negative prompt")},
            {"model", Settings::tr("Model folder")},
            {"method", Settings::tr("Attention")},
            {"cache", Settings::tr("Step cache")},
            {"width", Settings::tr("Width")},
            {"height", Settings::tr("Height")},
            {"frames", Settings::tr("Frames")},
            {"frame_rate", Settings::tr("Frames per second")},
            {"steps", Settings::tr("Steps")},
            {"guidance", Settings::tr("Guidance")},
            {"shift", Settings::tr("Shift")},
            {"sampler", Settings::tr("Sampler")},
            {"seed", Settings::tr("Seed")},
            {"device", Settings::tr("Asked for device")},
            {"dtype", Settings::tr("Asked for precision")},
            {"threads", Settings::tr("Threads")}};
}

QString valueText(const Json& value) {
    if (value.is_string()) {
        return text(value.get<std::string>());
    }
    if (value.is_null()) {
        return {};
    }
    return text(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

struct Rows {
    QList<SettingRow> rows;
    int clips = 0;

    QString& at(const QString& name, int clip) {
        for (SettingRow& row : rows) {
            if (row.name == name) {
                return row.values[clip];
            }
        }
        rows.append({name, QStringList(clips)});
        return rows.last().values[clip];
    }
};

void addRest(Rows& rows, const Json& object, const QString& prefix, int clip,
             const std::vector<KnownSetting>& known) {
    for (const auto& [key, value] : object.items()) {
        const bool isKnown = prefix.isEmpty() && std::any_of(known.begin(), known.end(),
                                                             [&, k = key](const auto& s) { return k == s.key; });
        if (isKnown || key == "schema") {
            continue;
        }
        // "method_parameters.top_k" reads as "Attention: top_k".
        QString name = text(key);
        if (key == "method_parameters") {
            name = Settings::tr("Attention");
        } else if (key == "cache_parameters") {
            name = Settings::tr("Step cache");
        }
        const QString full = prefix.isEmpty() ? name : prefix + QStringLiteral(": ") + name;
        if (value.is_object()) {
            addRest(rows, value, full, clip, known);
        } else {
            rows.at(full, clip) = valueText(value);
        }
    }
}

double numberAt(const Json& json, const char* key) {
    const auto found = json.is_object() ? json.find(key) : json.end();
    return json.is_object() && found != json.end() && found->is_number() ? found->get<double>() : -1.0;
}

}  // namespace

bool SettingRow::differs() const {
    return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) != values.end();
}

QList<SettingRow> settingRows(const std::vector<store::Clip>& clips, SettingsOf what) {
    const auto known = knownSettings();
    Rows rows;
    rows.clips = static_cast<int>(clips.size());
    for (const KnownSetting& setting : known) {
        rows.rows.append({setting.name, QStringList(rows.clips)});
    }
    for (int i = 0; i < rows.clips; ++i) {
        const store::Clip& clip = clips[static_cast<std::size_t>(i)];
        const Json request = Json::parse(clip.requestJson, nullptr, false);
        if (request.is_object()) {
            for (const KnownSetting& setting : known) {
                if (const auto value = request.find(setting.key); value != request.end() && !value->is_object()) {
                    QString& shown = rows.at(setting.name, i);
                    shown = valueText(*value);
                    if (std::string_view(setting.key) == "frame_rate" && shown.endsWith(QLatin1String("/1"))) {
                        shown.chop(2);
                    }
                }
            }
            addRest(rows, request, QString(), i, known);
        }
        if (what == SettingsOf::Request) {
            continue;
        }
        rows.at(Settings::tr("Model"), i) = text(clip.model);
        rows.at(Settings::tr("Weights"), i) = text(clip.modelHash).left(16);
        rows.at(Settings::tr("Ran on"), i) = text(clip.device);
        rows.at(Settings::tr("Precision"), i) = text(clip.dtype);
        rows.at(Settings::tr("Program version"), i) = text(clip.version);
        rows.at(Settings::tr("Time taken"), i) = clip.seconds > 0 ? durationText(clip.seconds) : QString();
    }
    rows.rows.removeIf([](const SettingRow& row) {
        return std::all_of(row.values.begin(), row.values.end(), [](const QString& v) { return v.isEmpty(); });
    });
    return rows.rows;
}

QList<SettingRow> provenanceRows(const store::Clip& clip, const QString& project) {
    QList<SettingRow> rows;
    const auto add = [&](const QString& name, const QString& value) {
        if (!value.isEmpty()) {
            rows.append({name, {value}});
        }
    };
    const QLocale locale;
    const Json report = Json::parse(clip.reportJson, nullptr, false);
    add(Settings::tr("File"), text(clip.file));
    add(Settings::tr("Size on disk"), clip.bytes > 0 ? bytesText(clip.bytes) : QString());
    add(Settings::tr("Project"), project);
    add(Settings::tr("Made"),
        locale.toString(QDateTime::fromMSecsSinceEpoch(clip.createdUs / 1000), QLocale::ShortFormat));
    add(Settings::tr("Model"), text(clip.model));
    add(Settings::tr("Weights hash"), text(clip.modelHash));
    add(Settings::tr("Device"),
        clip.dtype.empty() ? text(clip.device) : QStringLiteral("%1, %2").arg(text(clip.device), text(clip.dtype)));
    add(Settings::tr("Program version"), text(clip.version));
    QString times = clip.seconds > 0 ? durationText(clip.seconds) : QString();
    const std::array<std::pair<const char*, QString>, 5> phases{{{"load_seconds", Settings::tr("loading")},
                                                                 {"text_seconds", Settings::tr("text")},
                                                                 {"denoise_seconds", Settings::tr("steps")},
                                                                 {"decode_seconds", Settings::tr("decoding")},
                                                                 {"encode_seconds", Settings::tr("writing")}}};
    QStringList parts;
    for (const auto& [key, name] : phases) {
        if (const double seconds = numberAt(report, key); seconds >= 0.05) {
            parts.append(QStringLiteral("%1 %2").arg(name, durationText(seconds)));
        }
    }
    if (!parts.isEmpty()) {
        times += QStringLiteral(" (") + parts.join(QStringLiteral(", ")) + QLatin1Char(')');
    }
    add(Settings::tr("Time taken"), times);
    if (const double bytes = numberAt(report, "peak_resident_bytes"); bytes > 0) {
        add(Settings::tr("Peak memory"), bytesText(static_cast<qint64>(bytes)));
    }
    add(Settings::tr("Trace"), text(clip.traceFile));
    if (const auto notes = report.is_object() ? report.find("notes") : report.end();
        notes != report.end() && notes->is_array()) {
        QStringList missing;
        for (const Json& note : *notes) {
            missing.append(note.is_string() ? text(note.get<std::string>()) : QString());
        }
        add(Settings::tr("Not written"), missing.join(QLatin1Char('\n')));
    }
    add(Settings::tr("SHA-256"), text(clip.sha256));
    return rows;
}

Result<job::GenerationRequest> requestOf(const store::Clip& clip) {
    const Json json = Json::parse(clip.requestJson, nullptr, false);
    if (!json.is_object()) {
        return fail(ErrorCode::InvalidArgument, "the settings of this clip cannot be read");
    }
    return job::requestFromJson(json);
}

QString settingsText(const store::Clip& clip) {
    const OrderedJson json = OrderedJson::parse(clip.requestJson, nullptr, false);
    return json.is_discarded() ? text(clip.requestJson)
                               : text(json.dump(2, ' ', false, OrderedJson::error_handler_t::replace));
}

}  // namespace fw::ui
