#include "ui/inspector/imgui_widget.h"

#include <backends/imgui_impl_opengl3.h>
#include <imgui.h>

#include <QFontMetricsF>
#include <QGuiApplication>
#include <QMouseEvent>
#include <QOffscreenSurface>
#include <QOpenGLContext>
#include <QOpenGLExtraFunctions>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <vector>

#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kSettleFrames = 2;
constexpr unsigned kBgra = 0x80E1, kPackedBytes = 0x8367;  // GL_BGRA, GL_UNSIGNED_INT_8_8_8_8_REV

ImVec4 asVector(const QColor& c) {
    return {static_cast<float>(c.redF()), static_cast<float>(c.greenF()), static_cast<float>(c.blueF()),
            static_cast<float>(c.alphaF())};
}

// ImGui's keys by Qt's. Letters only as far as ImGui uses them, for its text fields.
constexpr std::pair<int, int> kKeys[] = {
    {ImGuiKey_Tab, Qt::Key_Tab},
    {ImGuiKey_LeftArrow, Qt::Key_Left},
    {ImGuiKey_RightArrow, Qt::Key_Right},
    {ImGuiKey_UpArrow, Qt::Key_Up},
    {ImGuiKey_DownArrow, Qt::Key_Down},
    {ImGuiKey_PageUp, Qt::Key_PageUp},
    {ImGuiKey_PageDown, Qt::Key_PageDown},
    {ImGuiKey_Home, Qt::Key_Home},
    {ImGuiKey_End, Qt::Key_End},
    {ImGuiKey_Delete, Qt::Key_Delete},
    {ImGuiKey_Backspace, Qt::Key_Backspace},
    {ImGuiKey_Space, Qt::Key_Space},
    {ImGuiKey_Enter, Qt::Key_Return},
    {ImGuiKey_KeyPadEnter, Qt::Key_Enter},
    {ImGuiKey_Escape, Qt::Key_Escape},
    {ImGuiKey_A, Qt::Key_A},
    {ImGuiKey_C, Qt::Key_C},
    {ImGuiKey_V, Qt::Key_V},
    {ImGuiKey_X, Qt::Key_X},
    {ImGuiKey_Y, Qt::Key_Y},
    {ImGuiKey_Z, Qt::Key_Z},
};

int buttonIndex(Qt::MouseButton button) {
    return button == Qt::LeftButton ? 0 : button == Qt::RightButton ? 1 : button == Qt::MiddleButton ? 2 : -1;
}

// Latin, Cyrillic and the signs of figures; others as they are met.
QSet<char32_t> firstGlyphs() {
    QSet<char32_t> glyphs;
    for (const auto& [from, to] : {std::pair<char32_t, char32_t>{0x20, 0x7e}, {0xa0, 0xff}, {0x400, 0x45f}}) {
        for (char32_t c = from; c <= to; ++c) {
            glyphs.insert(c);
        }
    }
    for (const char32_t c : U"–—‘’“”…·×→←↑↓²³−≤≥≈µ") {
        if (c != 0) {
            glyphs.insert(c);
        }
    }
    return glyphs;
}

// One character drawn by Qt, so that the window's own font, hinting and fallbacks for other scripts are used.
struct Glyph {
    char32_t code = 0;
    int rect = 0;
    QImage picture;
};

std::vector<Glyph> addGlyphs(ImFontAtlas& atlas, ImFont* font, const QFont& face, const QSet<char32_t>& codes) {
    const QFontMetricsF metrics(face);
    const int height = static_cast<int>(std::ceil(metrics.height()));
    std::vector<Glyph> glyphs;
    for (const char32_t code : codes) {
        const QString text = QString::fromUcs4(&code, 1);
        const QRectF ink = metrics.boundingRect(text);
        const int left = static_cast<int>(std::floor(ink.left())) - 1;
        const int width = std::max(1, static_cast<int>(std::ceil(ink.width())) + 3);
        Glyph glyph{code, 0, QImage(width, height, QImage::Format_ARGB32_Premultiplied)};
        glyph.picture.fill(Qt::transparent);
        QPainter painter(&glyph.picture);
        painter.setFont(face);
        painter.setPen(Qt::white);
        painter.drawText(QPointF(-left, metrics.ascent()), text);
        painter.end();
        glyph.rect = atlas.AddCustomRectFontGlyph(font, static_cast<ImWchar>(code), width, height,
                                                  static_cast<float>(metrics.horizontalAdvance(text)),
                                                  ImVec2(static_cast<float>(left), 0.0F));
        glyphs.push_back(std::move(glyph));
    }
    return glyphs;
}

void copyGlyphs(ImFontAtlas& atlas, const std::vector<Glyph>& glyphs) {
    unsigned char* pixels = nullptr;
    int width = 0, height = 0;
    atlas.GetTexDataAsRGBA32(&pixels, &width, &height);
    for (const Glyph& glyph : glyphs) {
        const ImFontAtlasCustomRect* rect = atlas.GetCustomRectByIndex(glyph.rect);
        for (int y = 0; y < glyph.picture.height(); ++y) {
            const auto* from = reinterpret_cast<const QRgb*>(glyph.picture.constScanLine(y));
            unsigned char* to = pixels + 4 * (static_cast<std::ptrdiff_t>(rect->Y + y) * width + rect->X);
            for (int x = 0; x < glyph.picture.width(); ++x, to += 4) {
                to[0] = to[1] = to[2] = 255;
                to[3] = static_cast<unsigned char>(qAlpha(from[x]));
            }
        }
    }
}

}  // namespace

ImguiWidget::ImguiWidget(std::function<void()> draw, QWidget* parent)
    : QWidget(parent), m_draw(std::move(draw)), m_glyphs(firstGlyphs()) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setAttribute(Qt::WA_OpaquePaintEvent);
    m_clock.start();
}

ImguiWidget::~ImguiWidget() {
    if (m_imgui != nullptr) {
        if (makeCurrent()) {
            dropTextures(true);
            ImGui_ImplOpenGL3_Shutdown();
            auto* gl = m_gl->extraFunctions();
            gl->glDeleteFramebuffers(1, &m_frameBuffer);
            gl->glDeleteRenderbuffers(1, &m_colourBuffer);
            m_gl->doneCurrent();
        }
        ImGui::DestroyContext(m_imgui);
    }
}

bool ImguiWidget::makeCurrent() {
    if (!m_gl->makeCurrent(m_surface.get())) {
        return false;
    }
    ImGui::SetCurrentContext(m_imgui);
    return true;
}

bool ImguiWidget::start() {
    m_started = true;
    QSurfaceFormat format;
    format.setRenderableType(QSurfaceFormat::OpenGL);
    format.setVersion(3, 3);
    format.setProfile(QSurfaceFormat::CoreProfile);
    m_gl = std::make_unique<QOpenGLContext>();
    m_gl->setFormat(format);
    m_surface = std::make_unique<QOffscreenSurface>();
    m_surface->setFormat(format);
    m_surface->create();
    const QString needed = tr("The inspector draws with OpenGL 3.3, which this display does not offer.");
    if (!m_gl->create() || !m_surface->isValid() || !m_gl->makeCurrent(m_surface.get()) ||
        m_gl->format().version() < qMakePair(3, 3)) {
        m_problem = needed;
        return false;
    }
    m_imgui = ImGui::CreateContext();
    ImGui::SetCurrentContext(m_imgui);
    ImGuiIO& io = ImGui::GetIO();
    io.IniFilename = nullptr;
    io.LogFilename = nullptr;
    for (std::size_t i = 0; i < std::size(kKeys); ++i) {
        io.KeyMap[kKeys[i].first] = static_cast<int>(i);
    }
    if (!ImGui_ImplOpenGL3_Init("#version 330 core")) {
        ImGui::DestroyContext(m_imgui);
        m_imgui = nullptr;
        m_problem = needed;
        return false;
    }
    auto* gl = m_gl->extraFunctions();
    gl->glGenFramebuffers(1, &m_frameBuffer);
    gl->glGenRenderbuffers(1, &m_colourBuffer);
    return true;
}

void ImguiWidget::redraw() {
    m_wanted = kSettleFrames;
    update();
}

std::string ImguiWidget::utf8(const QString& text) {
    for (const char32_t code : text.toUcs4()) {
        // ImGui's characters have 16 bits.
        if (code >= 0x20 && code <= 0xffff && !m_glyphs.contains(code)) {
            m_glyphs.insert(code);
            m_newGlyphs = true;
        }
    }
    return text.toStdString();
}

quint64 ImguiWidget::texture(const QImage& image, bool smooth) {
    const quint64 key = static_cast<quint64>(image.cacheKey()) * 2 + (smooth ? 1 : 0);
    Texture& texture = m_textures[key];
    texture.usedInFrame = m_frames;
    if (texture.name == 0) {
        auto* gl = m_gl->functions();
        const QImage rgba = image.convertToFormat(QImage::Format_RGBA8888);
        gl->glGenTextures(1, &texture.name);
        gl->glBindTexture(GL_TEXTURE_2D, texture.name);
        const int filter = smooth ? GL_LINEAR : GL_NEAREST;
        gl->glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, smooth ? GL_LINEAR : GL_NEAREST);
        gl->glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, filter);
        gl->glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
        gl->glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
        gl->glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, rgba.width(), rgba.height(), 0, GL_RGBA, GL_UNSIGNED_BYTE,
                         rgba.constBits());
    }
    return texture.name;
}

void ImguiWidget::dropTextures(bool all) {
    auto* gl = m_gl->functions();
    for (auto it = m_textures.begin(); it != m_textures.end();) {
        if (all || it->usedInFrame < m_frames) {
            gl->glDeleteTextures(1, &it->name);
            it = m_textures.erase(it);
        } else {
            ++it;
        }
    }
}

void ImguiWidget::buildFonts(double ratio) {
    m_ratio = ratio;
    m_newGlyphs = false;
    ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
    atlas.Clear();
    atlas.TexDesiredWidth = 1024;
    std::vector<Glyph> glyphs;
    for (const bool heading : {false, true}) {
        QFont face = fontFor(heading ? TextRole::Heading : TextRole::Body);
        const double points = face.pointSizeF();
        const int pixels = points > 0.0 ? qRound(points * logicalDpiY() / 72.0 * ratio) : face.pixelSize();
        face.setPixelSize(std::max(8, pixels));
        ImFontConfig config;
        config.SizePixels = static_cast<float>(std::ceil(QFontMetricsF(face).height()));
        ImFont* font = atlas.AddFontDefault(&config);
        (heading ? m_headingFont : m_bodyFont) = font;
        auto drawn = addGlyphs(atlas, font, face, m_glyphs);
        glyphs.insert(glyphs.end(), std::make_move_iterator(drawn.begin()), std::make_move_iterator(drawn.end()));
    }
    atlas.Build();
    copyGlyphs(atlas, glyphs);
    ImGui_ImplOpenGL3_DestroyFontsTexture();
    ImGui_ImplOpenGL3_CreateFontsTexture();
    ImGui::GetIO().FontGlobalScale = static_cast<float>(1.0 / ratio);
}

void ImguiWidget::applyColours() {
    const Colours& c = coloursOf(*this);
    m_restyle = false;
    ImGuiStyle& style = ImGui::GetStyle();
    style = ImGuiStyle();
    style.WindowPadding = {0, 0};
    style.WindowRounding = style.ChildRounding = 0;
    style.WindowBorderSize = 0;
    style.PopupRounding = style.FrameRounding = 4;
    ImVec4* colours = style.Colors;
    colours[ImGuiCol_WindowBg] = asVector(c.panel);
    colours[ImGuiCol_PopupBg] = asVector(c.control);
    colours[ImGuiCol_Text] = asVector(c.text);
    colours[ImGuiCol_TextDisabled] = asVector(c.textDisabled);
    colours[ImGuiCol_Border] = asVector(c.line);
    colours[ImGuiCol_ScrollbarBg] = asVector(c.panel);
    colours[ImGuiCol_ScrollbarGrab] = asVector(c.border);
    colours[ImGuiCol_ScrollbarGrabHovered] = asVector(c.textSecondary);
    colours[ImGuiCol_ScrollbarGrabActive] = asVector(c.accent);
}

void ImguiWidget::resizeBuffer(const QSize& pixels) {
    auto* gl = m_gl->extraFunctions();
    gl->glBindFramebuffer(GL_FRAMEBUFFER, m_frameBuffer);
    if (pixels == m_bufferSize) {
        return;
    }
    m_bufferSize = pixels;
    m_picture = QImage(pixels, QImage::Format_RGB32);
    gl->glBindRenderbuffer(GL_RENDERBUFFER, m_colourBuffer);
    gl->glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8, pixels.width(), pixels.height());
    gl->glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, m_colourBuffer);
}

// OpenGL's rows begin at the bottom.
void ImguiWidget::readBack(const QSize& pixels) {
    auto* gl = m_gl->functions();
    gl->glPixelStorei(GL_PACK_ALIGNMENT, 4);
    gl->glReadPixels(0, 0, pixels.width(), pixels.height(), kBgra, kPackedBytes, m_picture.bits());
    const auto line = static_cast<std::size_t>(m_picture.bytesPerLine());
    for (int top = 0, bottom = pixels.height() - 1; top < bottom; ++top, --bottom) {
        uchar* a = m_picture.scanLine(top);
        std::swap_ranges(a, a + line, m_picture.scanLine(bottom));
    }
}

void ImguiWidget::passInput() {
    ImGuiIO& io = ImGui::GetIO();
    io.DeltaTime = std::max(1.0e-4F, static_cast<float>(m_clock.nsecsElapsed()) * 1.0e-9F);
    m_clock.restart();
    io.MousePos = {static_cast<float>(m_pointer.x()), static_cast<float>(m_pointer.y())};
    for (std::size_t i = 0; i < m_held.size(); ++i) {
        io.MouseDown[i] = m_held[i] || m_latched[i];
    }
    io.MouseWheel = static_cast<float>(m_wheel);
    for (std::size_t i = 0; i < std::size(kKeys); ++i) {
        io.KeysDown[i] = m_keysHeld.contains(kKeys[i].second) || m_keysLatched.contains(kKeys[i].second);
    }
    io.KeyShift = m_modifiers.testFlag(Qt::ShiftModifier);
    io.KeyCtrl = m_modifiers.testFlag(Qt::ControlModifier);
    io.KeyAlt = m_modifiers.testFlag(Qt::AltModifier);
    if (!m_typed.isEmpty()) {
        io.AddInputCharactersUTF8(utf8(m_typed).c_str());
    }
    const bool latched = std::any_of(m_latched.begin(), m_latched.end(), [](bool b) { return b; });
    if (latched || !m_keysLatched.isEmpty()) {
        m_wanted = kSettleFrames + 1;  // one more, to see them released
    }
    m_latched.fill(false);
    m_keysLatched.clear();
    m_wheel = 0.0;
    m_typed.clear();
}

void ImguiWidget::renderFrame() {
    if (!m_started && !start()) {
        return;
    }
    if (!m_problem.isEmpty() || !makeCurrent()) {
        return;
    }
    const double ratio = devicePixelRatioF();
    const QSize pixels(std::max(1, qRound(width() * ratio)), std::max(1, qRound(height() * ratio)));
    if (m_newGlyphs || ratio != m_ratio) {
        buildFonts(ratio);
    }
    if (m_restyle) {
        applyColours();
    }
    QElapsedTimer timer;
    timer.start();
    ImGuiIO& io = ImGui::GetIO();
    io.DisplaySize = {static_cast<float>(width()), static_cast<float>(height())};
    io.DisplayFramebufferScale = {static_cast<float>(pixels.width()) / io.DisplaySize.x,
                                  static_cast<float>(pixels.height()) / io.DisplaySize.y};
    passInput();
    ++m_frames;
    ImGui_ImplOpenGL3_NewFrame();
    ImGui::NewFrame();
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(io.DisplaySize);
    ImGui::Begin("surface", nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings |
                     ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoNav);
    m_draw();
    ImGui::End();
    ImGui::Render();
    m_frameTime.build = static_cast<double>(timer.nsecsElapsed()) * 1.0e-6;
    resizeBuffer(pixels);
    const QColor ground = coloursOf(*this).panel;
    auto* gl = m_gl->functions();
    gl->glViewport(0, 0, pixels.width(), pixels.height());
    gl->glDisable(GL_SCISSOR_TEST);
    gl->glClearColor(static_cast<float>(ground.redF()), static_cast<float>(ground.greenF()),
                     static_cast<float>(ground.blueF()), 1.0F);
    gl->glClear(GL_COLOR_BUFFER_BIT);
    ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
    readBack(pixels);
    m_frameTime.draw = static_cast<double>(timer.nsecsElapsed()) * 1.0e-6 - m_frameTime.build;
    m_picture.setDevicePixelRatio(ratio);
    dropTextures(false);
    if (m_newGlyphs) {
        m_wanted = std::max(m_wanted, 2);
    }
}

void ImguiWidget::paintEvent(QPaintEvent*) {
    if (m_wanted > 0) {
        renderFrame();
        if (--m_wanted > 0) {
            update();
        }
    }
    QPainter painter(this);
    if (m_picture.isNull() || !m_problem.isEmpty()) {
        painter.fillRect(rect(), coloursOf(*this).panel);
        painter.setPen(coloursOf(*this).text);
        painter.drawText(rect().adjusted(kGrid * 3, kGrid * 3, -kGrid * 3, -kGrid * 3),
                         Qt::AlignCenter | Qt::TextWordWrap, m_problem);
    } else {
        painter.drawImage(0, 0, m_picture);
    }
    if (hasFocus()) {
        painter.setPen(QPen(coloursOf(*this).accent, 2));
        painter.drawRect(rect().adjusted(1, 1, -1, -1));
    }
}

void ImguiWidget::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    redraw();
}

void ImguiWidget::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    switch (event->type()) {
        case QEvent::FontChange:
        case QEvent::ApplicationFontChange:
            m_ratio = 0.0;  // draws the glyphs anew
            [[fallthrough]];
        case QEvent::PaletteChange:
        case QEvent::StyleChange:
            m_restyle = true;
            redraw();
            break;
        default:
            break;
    }
}

bool ImguiWidget::event(QEvent* event) {
    if (event->type() == QEvent::ScreenChangeInternal || event->type() == QEvent::Show) {
        redraw();
    }
    return QWidget::event(event);
}

void ImguiWidget::point(const QPointF& at) {
    m_pointer = at;
    redraw();
}

void ImguiWidget::mouseMoveEvent(QMouseEvent* event) {
    m_modifiers = event->modifiers();
    point(event->position());
}

void ImguiWidget::mousePressEvent(QMouseEvent* event) {
    if (const int button = buttonIndex(event->button()); button >= 0) {
        m_held[static_cast<std::size_t>(button)] = m_latched[static_cast<std::size_t>(button)] = true;
    }
    mouseMoveEvent(event);
}

void ImguiWidget::mouseReleaseEvent(QMouseEvent* event) {
    if (const int button = buttonIndex(event->button()); button >= 0) {
        m_held[static_cast<std::size_t>(button)] = false;
    }
    mouseMoveEvent(event);
}

void ImguiWidget::wheelEvent(QWheelEvent* event) {
    m_wheel += event->angleDelta().y() / 120.0;
    m_modifiers = event->modifiers();
    point(event->position());
    event->accept();
}

void ImguiWidget::leaveEvent(QEvent*) {
    point({-1.0e6, -1.0e6});
}

void ImguiWidget::keyPressEvent(QKeyEvent* event) {
    m_keysHeld.insert(event->key());
    m_keysLatched.insert(event->key());
    m_modifiers = event->modifiers();
    m_typed += event->text();
    redraw();
    const bool wanted = m_imgui != nullptr && (ImGui::SetCurrentContext(m_imgui), ImGui::GetIO().WantTextInput);
    event->setAccepted(wanted);
}

void ImguiWidget::keyReleaseEvent(QKeyEvent* event) {
    m_keysHeld.remove(event->key());
    m_modifiers = event->modifiers();
    redraw();
    event->ignore();
}

void ImguiWidget::focusOutEvent(QFocusEvent* event) {
    m_keysHeld.clear();
    m_held.fill(false);
    QWidget::focusOutEvent(event);
    redraw();
}

}  // namespace fw::ui
