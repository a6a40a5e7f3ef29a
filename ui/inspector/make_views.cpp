#include "ui/inspector/cache_view.h"
#include "ui/inspector/cost_view.h"
#include "ui/inspector/gate_view.h"
#include "ui/inspector/inspector_view.h"
#include "ui/inspector/maps_view.h"
#include "ui/inspector/mask_view.h"
#include "ui/inspector/memory_view.h"
#include "ui/inspector/query_view.h"
#include "ui/inspector/scan_view.h"

namespace fw::ui {

std::vector<std::unique_ptr<InspectorView>> makeInspectorViews() {
    std::vector<std::unique_ptr<InspectorView>> views;
    views.push_back(std::make_unique<CostView>());
    views.push_back(std::make_unique<CacheView>());
    views.push_back(std::make_unique<MapsView>());
    views.push_back(std::make_unique<QueryView>());
    views.push_back(std::make_unique<MaskView>());
    views.push_back(std::make_unique<GateView>());
    views.push_back(std::make_unique<ScanView>());
    views.push_back(std::make_unique<MemoryView>());
    return views;
}

}  // namespace fw::ui
