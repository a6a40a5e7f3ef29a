#include "app/studio/clip_engine.h"
