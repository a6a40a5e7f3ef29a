#include "ui/frame_player.h"

#include <algorithm>
#include <cmath>

namespace fw::ui {

FramePlayer::FramePlayer(QObject* parent) : QObject(parent) {
    m_timer.setTimerType(Qt::PreciseTimer);
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &FramePlayer::tick);
}

void FramePlayer::setClip(const app::ClipImages& clip, bool keepPhase) {
    double phase = 0.0;  // of the loop, 0 … 1
    if (keepPhase && !isEmpty()) {
        const double gone =
            m_playing ? static_cast<double>(m_clock.nsecsElapsed()) * 1e-9 * framesPerSecond() : 0.0;
        phase = std::fmod((m_clockFrame + gone) / count(), 1.0);
    }
    m_clip = clip;
    if (!(m_clip.framesPerSecond > 0.0)) {
        m_clip.framesPerSecond = 1.0;
    }
    const double position = phase * count();
    m_index = std::clamp(static_cast<int>(position), 0, std::max(0, count() - 1));
    emit clipChanged();
    emit frameChanged(m_index);
    if (count() > 1) {
        startClock(position - m_index);
        if (!m_playing) {
            m_playing = true;
            emit playingChanged(true);
        }
    } else {
        pause();
    }
}

void FramePlayer::clear() {
    pause();
    m_clip = {};
    m_index = 0;
    m_clockFrame = 0.0;
    emit clipChanged();
    emit frameChanged(0);
}

QImage FramePlayer::image() const {
    return isEmpty() ? QImage() : m_clip.frames.at(m_index);
}

void FramePlayer::play() {
    if (m_playing || count() < 2) {
        return;
    }
    m_playing = true;
    startClock(0.0);
    emit playingChanged(true);
}

void FramePlayer::pause() {
    m_timer.stop();
    if (m_playing) {
        m_playing = false;
        m_clockFrame = m_index;
        emit playingChanged(false);
    }
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

void FramePlayer::show(int index) {
    if (index != m_index) {
        m_index = index;
        emit frameChanged(index);
    }
}

void FramePlayer::startClock(double part) {
    m_clockFrame = m_index + part;
    m_clock.start();
    m_timer.start(std::max(1, static_cast<int>(std::ceil((1.0 - part) * 1000.0 / framesPerSecond()))));
}

void FramePlayer::tick() {
    // The frame that is due by the clock, so that a late timer drops frames instead of slowing the clip down.
    const double position = m_clockFrame + static_cast<double>(m_clock.nsecsElapsed()) * 1e-9 * framesPerSecond();
    const double due = std::floor(position);
    show(static_cast<int>(std::fmod(due, count())));
    const double wait = (due + 1.0 - position) * 1000.0 / framesPerSecond();
    m_timer.start(std::max(1, static_cast<int>(std::ceil(wait))));
}

}  // namespace fw::ui
