// Plays the frames of a clip in a loop. No widget: the canvas and the transport bar listen to it.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

#include "app/values/studio_values.h"

namespace fw::ui {

class FramePlayer : public QObject {
    Q_OBJECT

 public:
    explicit FramePlayer(QObject* parent = nullptr);

    // Shows another clip and plays it. With `keepPhase` it goes on at the same part of the loop as the last one: so
    // a preview that grows sharper does not jump.
    void setClip(const app::ClipImages& clip, bool keepPhase);
    void clear();

    [[nodiscard]] bool isEmpty() const { return m_clip.frames.isEmpty(); }
    [[nodiscard]] int count() const { return static_cast<int>(m_clip.frames.size()); }
    [[nodiscard]] int index() const { return m_index; }
    [[nodiscard]] double framesPerSecond() const { return m_clip.framesPerSecond; }
    [[nodiscard]] const app::ClipImages& clip() const { return m_clip; }
    [[nodiscard]] QImage image() const;
    [[nodiscard]] bool isPlaying() const { return m_playing; }

    void play();
    void pause();
    void togglePlaying() { m_playing ? pause() : play(); }
    // Both pause. seek clamps, step goes round.
    void seek(int index);
    void step(int frames);

 signals:
    void clipChanged();
    void frameChanged(int index);
    void playingChanged(bool playing);

 private:
    void show(int index);
    // Counts time from the frame that is shown, `part` of it gone.
    void startClock(double part);
    void tick();

    app::ClipImages m_clip;
    int m_index = 0;
    bool m_playing = false;
    QTimer m_timer;
    QElapsedTimer m_clock;
    double m_clockFrame = 0.0;  // position in frames when the clock was started
};

}  // namespace fw::ui
