#include "surface/app/app.h"

int main(int argc, char** argv) { return lifeboat::app::run(argc, argv); }
