// The last clips of the folder, one picture each; a click plays one.
#pragma once

#include <QList>
#include <QWidget>

#include "app/values/studio_values.h"

class QButtonGroup;
class QHBoxLayout;

namespace fw::ui {

class RecentStrip : public QWidget {
    Q_OBJECT

 public:
    static constexpr int kMostClips = 12;

    explicit RecentStrip(QWidget* parent = nullptr);

    // Newest first. The strip hides while it is empty.
    void setClips(const QList<app::LoadedClip>& clips);
    // In front of the others, and marked as the one shown.
    void addClip(const app::LoadedClip& clip);
    // Marks the clip of `file`; none when it is not here.
    void setCurrent(const QString& file);
    void remove(const QString& file);
    [[nodiscard]] int count() const { return static_cast<int>(m_clips.size()); }

 signals:
    void clipChosen(const QString& file);

 protected:
    void resizeEvent(QResizeEvent* event) override;

 private:
    void rebuild();

    struct Item {
        QString file, text;
        QImage picture;
    };
    static Item itemOf(const app::LoadedClip& clip);

    QList<Item> m_clips;
    QString m_current;
    QHBoxLayout* m_row;
};

}  // namespace fw::ui
