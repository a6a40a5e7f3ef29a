#include "ui/frame_player.h"

#include <algorithm>
#include <cmath>

namespace fw::ui {
namespace {
constexpr double kEndOfFrame = 0.999;
}

FramePlayer::FramePlayer(QObject* parent) : QObject(parent) {
    m_timer.setTimerType(Qt::PreciseTimer);
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &FramePlayer::tick);
}

void FramePlayer::setClip(const app::ClipImages& clip, bool keepPhase) {
    const bool goOn = keepPhase && !isEmpty();
    const double before = goOn ? count() : 1.0;
    double phase = goOn ? (m_playing ? position() : m_index) / before : 0.0;  // of the loop, 0 … 1
    phase -= std::floor(phase);
    m_clip = clip;
    if (!(m_clip.framesPerSecond > 0.0)) {
        m_clip.framesPerSecond = 1.0;
    }
    if (goOn) {
        placeMarks();
    } else {
        forgetMarks();
        m_wanted = true;
        setShuttle(1, 1.0);
    }
    const double at = phase * count();
    m_index = std::clamp(static_cast<int>(at), 0, std::max(0, count() - 1));
    emit clipChanged();
    emit marksChanged();
    emit frameChanged(m_index);
    if (count() > 1 && m_wanted) {
        start();
        startClock(std::clamp(at - m_index, 0.0, 1.0));
    } else {
        stop();
    }
}

void FramePlayer::clear() {
    stop();
    m_clip = {};
    m_index = 0;
    m_clockFrame = 0.0;
    forgetMarks();
    m_wanted = true;
    setShuttle(1, 1.0);
    emit clipChanged();
    emit marksChanged();
    emit frameChanged(0);
}

QImage FramePlayer::image() const {
    return isEmpty() ? QImage() : m_clip.frames.at(m_index);
}

void FramePlayer::start() {
    if (!m_playing) {
        m_playing = true;
        emit playingChanged(true);
    }
}

void FramePlayer::stop() {
    m_timer.stop();
    if (m_playing) {
        m_playing = false;
        m_clockFrame = m_index;
        emit playingChanged(false);
    }
}

void FramePlayer::play() {
    if (m_playing || count() < 2) {
        return;
    }
    m_wanted = true;
    setShuttle(1, 1.0);
    // From the beginning where it ended, or outside of what is played.
    if (m_index < m_markIn || m_index > markOut() || (!m_looping && m_index == markOut())) {
        show(m_markIn);
    }
    start();
    startClock(0.0);
}

void FramePlayer::pause() {
    m_wanted = false;
    stop();
    setShuttle(1, 1.0);
}

void FramePlayer::seek(int index) {
    pause();
    if (!isEmpty()) {
        show(std::clamp(index, 0, count() - 1));
        m_clockFrame = m_index;
    }
}

void FramePlayer::step(int frames) {
    if (!isEmpty()) {
        const int target = (m_index + frames) % count();
        seek(target < 0 ? target + count() : target);
    }
}

void FramePlayer::setSpeed(double speed) {
    if (speed != m_speed) {
        m_speed = speed;
        if (m_playing) {
            startClock(0.0);
        }
        emit rateChanged();
    }
}

void FramePlayer::setShuttle(int direction, double factor) {
    if (direction != m_direction || factor != m_shuttle) {
        m_direction = direction;
        m_shuttle = factor;
        emit rateChanged();
    }
}

void FramePlayer::shuttle(int direction) {
    if (count() < 2) {
        return;
    }
    const bool further = m_playing && direction == m_direction;
    setShuttle(direction, further && std::abs(rate()) < kSpeeds.back() ? 2.0 * m_shuttle
                          : further                                    ? m_shuttle
                                                                       : 1.0);
    m_wanted = true;
    if (m_index < m_markIn || m_index > markOut()) {
        show(direction > 0 ? m_markIn : markOut());
    }
    start();
    startClock(0.0);
}

void FramePlayer::setLooping(bool looping) {
    if (looping != m_looping) {
        m_looping = looping;
        emit rateChanged();
    }
}

void FramePlayer::setMarkIn(int index) {
    m_markIn = std::clamp(index, 0, std::max(0, count() - 1));
    m_markOut = m_markOut < 0 ? -1 : std::max(m_markOut, m_markIn);
    rememberMarks();
    emit marksChanged();
}

void FramePlayer::setMarkOut(int index) {
    const int last = std::max(0, count() - 1);
    m_markOut = std::clamp(index, 0, last);
    m_markIn = std::min(m_markIn, m_markOut);
    m_markOut = m_markOut == last ? -1 : m_markOut;
    rememberMarks();
    emit marksChanged();
}

void FramePlayer::clearMarks() {
    forgetMarks();
    emit marksChanged();
}

void FramePlayer::forgetMarks() {
    m_markIn = 0;
    m_markOut = -1;
    m_inPart = 0.0;
    m_outPart = 1.0;
}

void FramePlayer::rememberMarks() {
    const double frames = std::max(1, count());
    m_inPart = m_markIn / frames;
    m_outPart = (markOut() + 1) / frames;
}

// On the frames at the remembered moments: previews have fewer frames than the clip, and back in the clip the marks
// are where they were set.
void FramePlayer::placeMarks() {
    constexpr double kRounding = 1e-6;
    const int last = std::max(0, count() - 1);
    m_markIn = std::clamp(static_cast<int>(m_inPart * count() + kRounding), 0, last);
    const int out = static_cast<int>(std::ceil(m_outPart * count() - kRounding)) - 1;
    m_markOut = out >= last ? -1 : std::max(out, m_markIn);
}

void FramePlayer::show(int index) {
    if (index != m_index) {
        m_index = index;
        emit frameChanged(index);
    }
}

double FramePlayer::position() const {
    return m_clockFrame + static_cast<double>(m_clock.nsecsElapsed()) * 1e-9 * framesPerSecond() * rate();
}

void FramePlayer::startClock(double part) {
    // Backwards a frame is shown from its end to its beginning.
    m_clockFrame = m_index + (m_direction < 0 && part == 0.0 ? kEndOfFrame : part);
    m_clock.start();
    waitForNext(m_clockFrame);
}

void FramePlayer::waitForNext(double at) {
    const double part = at - std::floor(at);
    const double left = m_direction > 0 ? 1.0 - part : part + 1.0 - kEndOfFrame;
    m_timer.start(std::max(1, static_cast<int>(std::ceil(left * 1000.0 / (framesPerSecond() * std::abs(rate()))))));
}

void FramePlayer::tick() {
    // The frame that is due by the clock, so that a late timer drops frames instead of slowing the clip down.
    const double first = m_markIn;
    const double length = partLength();
    double at = position();
    if (at < first || at >= first + length) {
        if (!m_looping) {
            show(m_direction > 0 ? markOut() : m_markIn);
            pause();
            return;
        }
        at = first + std::fmod(at - first, length);
        at += at < first ? length : 0.0;
        // Marks that were moved leave the clock elsewhere: count anew from inside them.
        m_clockFrame = at;
        m_clock.start();
    }
    show(static_cast<int>(std::min(std::floor(at), first + length - 1.0)));
    waitForNext(at);
}

}  // namespace fw::ui
