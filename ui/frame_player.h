// Plays the frames of a clip, round and round or once, forwards or backwards, all of it or a part. No widget: the
// canvas and the transport bar listen to it.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>
#include <algorithm>
#include <array>

#include "app/values/studio_values.h"

namespace fw::ui {

class FramePlayer : public QObject {
    Q_OBJECT

 public:
    static constexpr std::array kSpeeds{0.25, 0.5, 1.0, 2.0, 4.0};

    explicit FramePlayer(QObject* parent = nullptr);

    // Shows another clip and plays it. With `keepPhase` it goes on at the same part of the loop as the last one,
    // and stands still if that did: so a preview that grows sharper does not jump. Marks stay on the same moment.
    void setClip(const app::ClipImages& clip, bool keepPhase);
    void clear();

    [[nodiscard]] bool isEmpty() const { return m_clip.frames.isEmpty(); }
    [[nodiscard]] int count() const { return static_cast<int>(m_clip.frames.size()); }
    [[nodiscard]] int index() const { return m_index; }
    [[nodiscard]] double framesPerSecond() const { return m_clip.framesPerSecond; }
    [[nodiscard]] const app::ClipImages& clip() const { return m_clip; }
    [[nodiscard]] QImage image() const;
    [[nodiscard]] bool isPlaying() const { return m_playing; }

    void play();  // forwards, at speed()
    void pause();
    void togglePlaying() { m_playing ? pause() : play(); }
    // Both pause. seek clamps, step goes round.
    void seek(int index);
    void step(int frames);

    // One of kSpeeds. Of the clip's own rate, which is what 1 plays at.
    void setSpeed(double speed);
    [[nodiscard]] double speed() const { return m_speed; }
    // As on an editing desk (J, L): plays that way, twice as fast with every call, at most four times.
    void shuttle(int direction);
    // What it plays at now: speed() times the shuttle; negative backwards.
    [[nodiscard]] double rate() const { return m_direction * std::min(kSpeeds.back(), m_speed * m_shuttle); }
    void setLooping(bool looping);
    [[nodiscard]] bool isLooping() const { return m_looping; }

    // The part that is played, both ends included. A mark beyond the other one takes it along.
    void setMarkIn(int index);
    void setMarkOut(int index);
    void clearMarks();
    [[nodiscard]] bool hasMarks() const { return m_markIn > 0 || m_markOut >= 0; }
    [[nodiscard]] int markIn() const { return m_markIn; }
    [[nodiscard]] int markOut() const { return m_markOut < 0 ? std::max(0, count() - 1) : m_markOut; }

 signals:
    void clipChanged();
    void frameChanged(int index);
    void playingChanged(bool playing);
    void rateChanged();  // speed, shuttle or looping
    void marksChanged();

 private:
    void show(int index);
    void start();
    void stop();
    // Counts time from the frame that is shown, `part` of it gone.
    void startClock(double part);
    void waitForNext(double at);
    void setShuttle(int direction, double factor);
    void forgetMarks();
    void rememberMarks();
    void placeMarks();
    void tick();
    [[nodiscard]] double position() const;  // by the clock, in frames; may lie outside the marks
    [[nodiscard]] int partLength() const { return markOut() - m_markIn + 1; }

    app::ClipImages m_clip;
    int m_index = 0;
    bool m_playing = false;
    bool m_wanted = true;  // to play; a single frame does not
    double m_speed = 1.0, m_shuttle = 1.0;
    int m_direction = 1;
    bool m_looping = true;
    int m_markIn = 0, m_markOut = -1;        // -1: the last frame
    double m_inPart = 0.0, m_outPart = 1.0;  // the same as parts of the clip
    QTimer m_timer;
    QElapsedTimer m_clock;
    double m_clockFrame = 0.0;  // position in frames when the clock was started
};

}  // namespace fw::ui
