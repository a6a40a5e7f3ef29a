// What made a clip, as lines of text: for the details of one and for what differs between several.
#pragma once

#include <QList>
#include <QString>
#include <QStringList>
#include <vector>

#include "core/base/result.h"
#include "core/job/generation_request.h"
#include "core/store/records.h"

namespace fw::ui {

struct SettingRow {
    QString name;
    QStringList values;  // one for each clip; empty where a clip has no such setting

    [[nodiscard]] bool differs() const;
};

enum class SettingsOf : quint8 { Request, RequestAndRun };
// Every setting of the requests, and what they ran on, in a fixed order; unknown ones by their own names at the
// end.
[[nodiscard]] QList<SettingRow> settingRows(const std::vector<store::Clip>& clips,
                                            SettingsOf what = SettingsOf::RequestAndRun);
// Where a clip comes from: file, model, weights, program, device, times.
[[nodiscard]] QList<SettingRow> provenanceRows(const store::Clip& clip, const QString& project);

// The request of the row. InvalidArgument when it is not one this program understands.
[[nodiscard]] Result<job::GenerationRequest> requestOf(const store::Clip& clip);
// The request as it is stored, indented.
[[nodiscard]] QString settingsText(const store::Clip& clip);

}  // namespace fw::ui
