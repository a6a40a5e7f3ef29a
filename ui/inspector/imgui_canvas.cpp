#include "ui/inspector/imgui_canvas.h"

#include <imgui.h>

#include <cstdint>
#include <vector>

#include "ui/inspector/imgui_widget.h"

namespace fw::ui {
namespace {

ImVec2 at(const QPointF& point) {
    return {static_cast<float>(point.x()), static_cast<float>(point.y())};
}

ImU32 packed(const QColor& c) {
    return IM_COL32(c.red(), c.green(), c.blue(), c.alpha());
}

ImTextureID asTexture(quint64 name) {
    return reinterpret_cast<ImTextureID>(static_cast<std::uintptr_t>(name));
}

}  // namespace

ImguiCanvas::ImguiCanvas(ImguiWidget& widget)
    : Canvas(coloursOf(widget)), m_widget(widget), m_list(ImGui::GetWindowDrawList()) {
    const ImGuiIO& io = ImGui::GetIO();
    if (ImGui::IsMousePosValid() && io.MousePos.x > -1.0e5F) {
        m_pointer = QPointF(io.MousePos.x, io.MousePos.y);
        m_clicked = ImGui::IsMouseClicked(ImGuiMouseButton_Left);
        m_pressed = ImGui::IsMouseDown(ImGuiMouseButton_Left);
    }
}

void ImguiCanvas::fill(const QRectF& rect, const QColor& colour) {
    m_list->AddRectFilled(at(rect.topLeft()), at(rect.bottomRight()), packed(colour));
}

void ImguiCanvas::frame(const QRectF& rect, const QColor& colour, double width) {
    m_list->AddRect(at(rect.topLeft()), at(rect.bottomRight()), packed(colour), 0.0F, 0, static_cast<float>(width));
}

void ImguiCanvas::line(const QPointF& a, const QPointF& b, const QColor& colour, double width) {
    m_list->AddLine(at(a), at(b), packed(colour), static_cast<float>(width));
}

void ImguiCanvas::path(const QPolygonF& points, const QColor& colour, double width) {
    std::vector<ImVec2> line(static_cast<std::size_t>(points.size()));
    for (std::size_t i = 0; i < line.size(); ++i) {
        line[i] = at(points[static_cast<qsizetype>(i)]);
    }
    m_list->AddPolyline(line.data(), static_cast<int>(line.size()), packed(colour), 0, static_cast<float>(width));
}

void ImguiCanvas::dot(const QPointF& centre, double radius, const QColor& colour) {
    m_list->AddCircleFilled(at(centre), static_cast<float>(radius), packed(colour));
}

void ImguiCanvas::image(const QRectF& rect, const QImage& image, bool smooth) {
    if (!image.isNull()) {
        m_list->AddImage(asTexture(m_widget.texture(image, smooth)), at(rect.topLeft()), at(rect.bottomRight()));
    }
}

void ImguiCanvas::text(const QPointF& where, const QString& text, const QColor& colour, bool heading) {
    ImFont* font = m_widget.font(heading);
    const std::string words = m_widget.utf8(text);
    m_list->AddText(font, font->FontSize * ImGui::GetIO().FontGlobalScale, at(where), packed(colour),
                    words.c_str());
}

double ImguiCanvas::textWidth(const QString& text, bool heading) const {
    ImFont* font = m_widget.font(heading);
    const std::string words = m_widget.utf8(text);
    const float size = font->FontSize * ImGui::GetIO().FontGlobalScale;
    return static_cast<double>(font->CalcTextSizeA(size, 1.0e9F, 0.0F, words.c_str()).x);
}

double ImguiCanvas::lineHeight() const {
    return static_cast<double>(m_widget.font(false)->FontSize * ImGui::GetIO().FontGlobalScale);
}

void ImguiCanvas::showTip() {
    if (m_tip.isEmpty()) {
        return;
    }
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(8, 6));
    ImGui::PushStyleVar(ImGuiStyleVar_PopupBorderSize, 1.0F);
    ImGui::BeginTooltip();
    ImGui::TextUnformatted(m_widget.utf8(m_tip).c_str());
    ImGui::EndTooltip();
    ImGui::PopStyleVar(2);
}

}  // namespace fw::ui
