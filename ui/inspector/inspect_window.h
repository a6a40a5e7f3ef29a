// framewright --inspect FILE: the inspector alone in a window, without a library.
#pragma once

#include <QWidget>

#include "ui/inspector/inspector_panel.h"

namespace fw::ui {

// A trace and the clip of its name beside it, or the other way round, whichever `file` is.
[[nodiscard]] InspectTarget inspectTarget(const QString& file);

class InspectWindow : public QWidget {
    Q_OBJECT

 public:
    explicit InspectWindow(const QString& file);

    [[nodiscard]] InspectorPanel* panel() const { return m_panel; }

 private:
    InspectorPanel* m_panel;
};

}  // namespace fw::ui
