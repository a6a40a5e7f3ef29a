// Dear ImGui in a widget: drawn with OpenGL 3.3 into a buffer of its own, read back and painted like any picture.
// So the window keeps Qt's raster painting (a QOpenGLWidget anywhere in it would make Qt compose all of it through
// OpenGL, and crashes on platforms without), docks can float, and nothing is drawn until something changes.
#pragma once

#include <QElapsedTimer>
#include <QHash>
#include <QImage>
#include <QSet>
#include <QWidget>
#include <array>
#include <functional>
#include <memory>
#include <string>

class QOffscreenSurface;
class QOpenGLContext;
struct ImFont;
struct ImGuiContext;

namespace fw::ui {

class ImguiWidget : public QWidget {
    Q_OBJECT

 public:
    // `draw` is called once a frame between NewFrame and Render, inside a window that fills the widget.
    explicit ImguiWidget(std::function<void()> draw, QWidget* parent = nullptr);
    ~ImguiWidget() override;

    // Asks for a frame. Input, changes of size, palette and font do so by themselves.
    void redraw();
    // Drawn so far; tests wait on it.
    [[nodiscard]] int frameCount() const { return m_frames; }
    // How long the last frame took, in ms: what the views and ImGui do before anything is drawn, which takes as
    // long with any graphics card; and drawing it and reading it back.
    struct FrameTime {
        double build = 0.0, draw = 0.0;
    };
    [[nodiscard]] const FrameTime& frameTime() const { return m_frameTime; }
    // Empty, or why nothing can be drawn here, in one sentence. Known after the first frame.
    [[nodiscard]] const QString& problem() const { return m_problem; }

    // --- within `draw`
    // UTF-8 for ImGui. Characters seen for the first time are drawn from the next frame on.
    [[nodiscard]] std::string utf8(const QString& text);
    [[nodiscard]] ImFont* font(bool heading) const { return heading ? m_headingFont : m_bodyFont; }
    // The picture on the card, kept for as long as every frame asks for it. The number is an ImTextureID.
    [[nodiscard]] quint64 texture(const QImage& image, bool smooth);

    [[nodiscard]] QSize sizeHint() const override { return {640, 480}; }

 protected:
    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void keyReleaseEvent(QKeyEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

 private:
    struct Texture {
        unsigned name = 0;
        int usedInFrame = 0;
    };

    bool start();
    bool makeCurrent();
    void renderFrame();
    void passInput();
    void buildFonts(double ratio);
    void applyColours();
    void resizeBuffer(const QSize& pixels);
    void readBack(const QSize& pixels);
    void dropTextures(bool all);
    void point(const QPointF& at);

    std::function<void()> m_draw;
    std::unique_ptr<QOffscreenSurface> m_surface;
    std::unique_ptr<QOpenGLContext> m_gl;
    ImGuiContext* m_imgui = nullptr;
    ImFont* m_bodyFont = nullptr;
    ImFont* m_headingFont = nullptr;
    bool m_started = false;
    QString m_problem;

    unsigned m_frameBuffer = 0, m_colourBuffer = 0;
    QSize m_bufferSize;
    QImage m_picture;
    int m_frames = 0;
    FrameTime m_frameTime;
    int m_wanted = 2;  // frames still to be drawn: ImGui settles in the second
    double m_ratio = 0.0;
    bool m_restyle = true;
    QSet<char32_t> m_glyphs;
    bool m_newGlyphs = false;
    QHash<quint64, Texture> m_textures;  // by QImage::cacheKey() and smoothness
    QElapsedTimer m_clock;

    // What was pressed since the last frame counts as held in it, so that nothing fast is lost.
    std::array<bool, 3> m_held{}, m_latched{};
    QSet<int> m_keysHeld, m_keysLatched;
    QPointF m_pointer{-1.0e6, -1.0e6};
    double m_wheel = 0.0;
    Qt::KeyboardModifiers m_modifiers;
    QString m_typed;
};

}  // namespace fw::ui
