"""The procedural, captioned video world the embedded model is trained on.

Modules, in the order data flows through them:

sprites      table of things that can appear, and the atlas rasterised from Noto Color Emoji
backgrounds  painted panoramas, one per place, time of day and variant
scenes       random scene specifications, and the rule that holds some pairs out of training
captions     the sentence that describes a scene
motion       trajectories of sprites and camera, as arrays
batches      scene -> numeric arrays, made by worker processes
renderer     arrays -> video clips, on the GPU

Units: one world unit is one pixel of a 256 x 256 frame; time `u` runs from 0 to 1 over 33 frames at 12 frames a second.
"""

FRAMES_PER_SECOND = 12
CLIP_FRAMES = 33
FRAME_SIZE = 256
