// Walks the window through its states with the real engine and takes a picture of each: for the documentation and
// for looking at the design. Ends the application when it is through.
#pragma once

#include <QObject>
#include <QString>
#include <QTimer>

namespace fw::ui {

class MainWindow;

class ScreenshotTour : public QObject {
    Q_OBJECT

 public:
    // Pictures go to `folder`/<state>.png. `prompt` is what the finished clip shows.
    ScreenshotTour(MainWindow& window, const QString& folder, const QString& prompt, QObject* parent = nullptr);

 private:
    enum class Stop : quint8 { Empty, Typing, Running, Finished, Library, Cancelled, Done };
    void tick();
    void enter(Stop next);
    void raise(const QString& dock);
    bool takePicture(const QString& name);

    MainWindow& m_window;
    QString m_folder, m_prompt;
    QTimer m_timer;
    Stop m_stop = Stop::Empty;
    int m_ticks = 0;  // since this stop was entered
};

}  // namespace fw::ui
